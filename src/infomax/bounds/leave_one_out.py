"""Leave-one-out on held-out pairs: an upper bound where p(y|x) is known, nearing I(X; Y) from above as n grows.

Source: Poole et al. 2019, arXiv:1905.06922, equation 12.
"""

from __future__ import annotations

from math import inf
from typing import Any

import torch
from torch import Tensor

from infomax import objectives
from infomax.bounds.bound import Bound
from infomax.bounds.reading import candidates_are_the_pairs, reading, upper_if_known
from infomax.scores import Scores


@torch.no_grad()
def leave_one_out(scores: Scores, *, exact: bool = False, groups: Any = None) -> Bound:
    """Upper where `exact`, else neither; no ceiling.

    Args:
        scores: log p(y_j | x_i) of held-out pairs, but for a function of y.
        exact: the conditional is known, not fitted.
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups.

    >>> bound = leave_one_out(Scores(torch.eye(4), torch.eye(4)), exact=True)
    >>> bound.value, bound.side
    (1.0, 'upper')
    """
    values = objectives.leave_one_out(scores)
    side = upper_if_known(scores, exact, ", but for a function of y")
    return reading(values, _taken(scores), inf, side, groups)


def _taken(scores: Scores) -> Tensor:
    """(N,) Σ_i p(y_i|x_k) / Σ_{j≠i} p(y_i|x_j): what anchor k takes from the other candidates' values."""
    if not candidates_are_the_pairs(scores):
        return torch.zeros(len(scores.anchors), dtype=torch.float64, device=scores.anchors.device)
    turned = scores.turned()
    shares = turned.with_row_offset(-turned.logsumexp(positives="out"))
    return shares.logsumexp("anchors", positives="out").double().exp()
