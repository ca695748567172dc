"""Many tests at once: q-values by Benjamini and Hochberg's step-up rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def q_values(p_values: Sequence[float | None]) -> list[float | None]:
    """For each p-value the smallest false-discovery rate at which its test is among the discoveries (Benjamini and
    Hochberg 1995); None stays None and is no test.

    The rate is kept under independence and under positive dependence of the tests (Benjamini and Yekutieli 2001).

    >>> q_values([0.01, 0.04, None, 0.03])
    [0.03, 0.04, None, 0.04]
    """
    tested = [i for i, p in enumerate(p_values) if p is not None]
    p = np.array([p_values[i] for i in tested], dtype=np.float64)
    order = np.argsort(p)[::-1]
    steps = p[order] * len(p) / np.arange(len(p), 0, -1)
    found: list[float | None] = [None] * len(p_values)
    for position, q in zip(order, np.minimum.accumulate(steps), strict=True):
        found[tested[position]] = float(min(q, 1.0))
    return found
