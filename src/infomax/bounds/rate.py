"""The rate on held-out pairs: E log p(y|x) / r(y) = I(X; Y) + KL(p(y) || r(y)), an upper bound where p(y|x) is known.

Sources: Alemi et al. 2017, arXiv:1612.00410, equation 14; Poole et al. 2019, arXiv:1905.06922, equation 1.
"""

from __future__ import annotations

from math import inf
from typing import Any

import torch

from infomax import objectives
from infomax.bounds.bound import Bound
from infomax.bounds.reading import Side, reading
from infomax.scores import Scores


@torch.no_grad()
def rate(scores: Scores, log_marginal: Any, *, exact: bool = False, groups: Any = None) -> Bound:
    """Upper for every normalised r where `exact`, else neither; equality at r = p(y). No ceiling.

    Args:
        scores: log p(y_j | x_i) of held-out pairs.
        log_marginal: (N,) log r(y) of each anchor's true candidate, r normalised and not fitted to these pairs.
        exact: the conditional is known, not fitted: that of a noisy encoder, say.
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups.

    >>> log_p = torch.tensor([[0.9, 0.1], [0.2, 0.8]]).log()
    >>> bound = rate(Scores(log_p, torch.eye(2)), torch.full((2,), 0.5).log(), exact=True)
    >>> round(bound.value, 4), bound.side
    (0.5289, 'upper')
    """
    side: tuple[Side, str] = (
        "upper",
        "an upper bound in expectation, if the scores are log p(y|x) itself, r is a normalised density that was not "
        "fitted to these pairs, and the pairs are draws",
    )
    if not exact:
        side = (
            "neither",
            "no bound: a fitted conditional may put the value on either side; an exact one makes it upper",
        )
    elif scores.true_pairs.labels is not None:
        side = ("neither", "no bound: labels give several positives a row")
    return reading(objectives.rate(scores, log_marginal), 0.0, inf, side, groups)
