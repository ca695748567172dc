"""FLO on held-out pairs: a lower bound, tight at s = PMI + any c(x) with the PMI itself as second critic.

Source: Guo et al. 2022, arXiv:2107.01131, equation 8.
"""

from __future__ import annotations

from math import inf
from typing import Any

import torch

from infomax import objectives
from infomax.bounds.bound import Bound
from infomax.bounds.reading import INDEPENDENT, earned, exp_taken, reading
from infomax.objectives.chance import per_anchor
from infomax.scores import Scores


@torch.no_grad()
def flo(scores: Scores, log_ratio: Any, *, groups: Any = None) -> Bound:
    """Lower for every critic and every second critic; no ceiling.

    Args:
        scores: of held-out pairs, by a critic that has not seen them.
        log_ratio: (N,) the second critic's PMI of each true pair, not fitted to these pairs.
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups.

    >>> flo(Scores(torch.eye(4), torch.eye(4)), torch.ones(4)).value
    1.0
    """
    values = -objectives.flo(scores, log_ratio)
    offset = per_anchor(log_ratio, "log_ratio", values) - scores.positive()
    side = earned(scores, "lower", f"a lower bound in expectation, {INDEPENDENT}, nor the second critic")
    return reading(values, exp_taken(scores, offset), inf, side, groups)
