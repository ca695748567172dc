"""p-values from draws of a statistic under the null, no more of them than it takes.

Draws stop at the ENOUGH-th that reaches what was observed, and p is then ENOUGH / draws; else p = (1 + reached) / (1 + DRAWS).
Either way p is below a with probability at most a under the null (Besag & Clifford 1991, Biometrika 78: 301).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

DRAWS, ENOUGH = 9999, 200
LEAST = 1 / (1 + DRAWS)
_AT_ONCE = 500
SAME = 1e-9  # sums of the same terms in another order may differ by this much, relatively


def sequential_p_value(draw: Callable[[int], np.ndarray], observed: float) -> float:
    """How often draws reach `observed`, which is at least 0; `draw(k)` gives k values of the statistic.

    >>> rng = np.random.default_rng(0)
    >>> 0.4 < sequential_p_value(rng.random, 0.5) < 0.6
    True
    """
    least, reached = observed * (1 - SAME), 0
    for done in range(0, DRAWS, _AT_ONCE):
        so_far = reached + np.cumsum(draw(min(_AT_ONCE, DRAWS - done)) >= least)
        if so_far[-1] >= ENOUGH:
            return ENOUGH / (done + 1 + int(np.searchsorted(so_far, ENOUGH)))
        reached = int(so_far[-1])
    return (1 + reached) * LEAST
