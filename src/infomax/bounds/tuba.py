"""TUBA and NWJ on held-out pairs: lower bounds that are unbiased at any n, with a variance that grows like e^I.

Sources: Nguyen, Wainwright & Jordan 2010, arXiv:0809.0853; Poole et al. 2019, arXiv:1905.06922, equations 4 and 5.
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
def tuba(scores: Scores, log_baseline: Any, *, groups: Any = None) -> Bound:
    """Lower for every critic and every baseline a(x); equality at s = PMI + log a(x). No ceiling.

    Args:
        scores: of held-out pairs, by a critic that has not seen them.
        log_baseline: log a(x), a number or (N,), of the anchors alone, not fitted to these pairs.
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups.

    >>> tuba(Scores(3 * torch.eye(4), torch.eye(4)), 0.0).value
    3.0
    """
    values = -objectives.tuba(scores, log_baseline)
    taken = exp_taken(scores, -per_anchor(log_baseline, "log_baseline", values))
    side = earned(scores, "lower", f"a lower bound in expectation, {INDEPENDENT}, nor the baseline")
    return reading(values, taken, inf, side, groups)


@torch.no_grad()
def nwj(scores: Scores, *, groups: Any = None) -> Bound:
    """Lower for every critic; equality at s = 1 + PMI, so a critic of PMI is read by `scores.with_row_offset` of ones.

    >>> nwj(Scores(torch.eye(4), torch.eye(4), row_offset=torch.ones(4))).value
    1.0
    """
    values = -objectives.nwj(scores)
    side = earned(scores, "lower", f"a lower bound in expectation, {INDEPENDENT}")
    return reading(values, exp_taken(scores, -torch.ones_like(values)), inf, side, groups)
