"""Donsker-Varadhan (MINE) on held-out pairs: E s - log E e^s, the log over all chance pairs at once.

At its population value it is the largest of the bounds for a given critic, at most I(X; Y). On a sample the log of a
mean is too small on average (Jensen), so the value is too large: for the best critic it exceeds the information in
expectation. Its variance grows like e^I. To read the same critic as a lower bound, take the normaliser from other pairs:
`tuba(scores, log_baseline)`. Source: Belghazi et al. 2018, arXiv:1801.04062, equation 10; McAllester & Stratos 2020,
arXiv:1811.04251, section 4.
"""

from __future__ import annotations

from math import inf
from typing import Any

import torch

from infomax.bounds.bound import Bound
from infomax.bounds.reading import earned, exp_taken, reading
from infomax.objectives import donsker_varadhan as objective
from infomax.objectives.chance import log_mean_exp
from infomax.objectives.donsker_varadhan import log_normaliser
from infomax.scores import Scores

FINITE = (
    "no bound at finite n: the log of the sample's mean is too small on average, so the value is too large; "
    "a lower bound only as the pairs grow in number"
)


@torch.no_grad()
def donsker_varadhan(scores: Scores, *, groups: Any = None) -> Bound:
    """Donsker-Varadhan over all chance pairs; neither side at finite n, and without a ceiling.

    Args:
        scores: of held-out pairs, by a critic that has not seen them.
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups.

    >>> donsker_varadhan(Scores(3 * torch.eye(4), torch.eye(4))).value
    3.0
    """
    normaliser = log_normaliser(scores)
    own = (log_mean_exp(scores) - normaliser).double().exp()
    taken = own + exp_taken(scores, -normaliser.expand(len(scores.anchors)))
    values = -objective(scores)
    return reading(values, taken, inf, earned(scores, "neither", FINITE), groups)
