"""CLUB on held-out pairs: E_{p(x,y)} log p(y|x) - E_{p(x)p(y)} log p(y|x) = I(X; Y) + KL(p(x)p(y) || p(x, y)).

An upper bound where p(y|x) is known; loose: d·ρ²/(1-ρ²) for Gaussians. The variational form, with a fitted q(y|x), may lie
on either side: it is above I(X; Y) only where q is nearer to p(x, y) than to p(x)p(y), which no sample shows.
Source: Cheng et al. 2020, arXiv:2006.12013, theorems 3.1 and 3.2.
"""

from __future__ import annotations

from math import inf
from typing import Any

import torch
from torch import Tensor

from infomax import objectives
from infomax.bounds.bound import Bound
from infomax.bounds.reading import fn_taken, reading, upper_if_known
from infomax.scores import Scores


@torch.no_grad()
def club(scores: Scores, *, exact: bool = False, groups: Any = None) -> Bound:
    """Upper where `exact`, else neither; no ceiling. Chance pairs only in the second mean, so unbiased at any n.

    Args:
        scores: log p(y_j | x_i) of held-out pairs, but for a function of x or of y.
        exact: the conditional is known, not fitted.
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups.

    >>> bound = club(Scores(torch.eye(4), torch.eye(4)), exact=True)
    >>> bound.value, bound.side
    (1.0, 'upper')
    """

    def itself(s: Tensor) -> Tensor:
        return s

    side = upper_if_known(scores, exact, ", but for a function of x or of y")
    return reading(objectives.club(scores), fn_taken(scores, itself), inf, side, groups)
