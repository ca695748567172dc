"""Leave-one-out: log p(y|x) against the other anchors' mean of p(y|x'), in nats; lower it to remove information.

    loss_i = log p(y_i|x_i) - log 1/(n-1) Σ_{j≠i} p(y_i|x_j)      >= I(X; Y) on average

The mean over the other anchors stands for p(y_i); its log is too small on average, so the loss is too large, and less
so for more pairs. A function of y added to the scores changes nothing.
Source: Poole et al. 2019, arXiv:1905.06922, equation 12.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.scores import Scores


def leave_one_out(scores: Scores) -> Float[Tensor, " n"]:
    """(N,) the positive less the log-mean of exp over the other anchors of its column; scores are log p(y_j | x_i).

    Raises:
        InputError: fewer than two anchors, labels, ids, or positives that are not among the candidates or shared.

    >>> leave_one_out(Scores(torch.eye(3), torch.eye(3)))
    tensor([1., 1., 1.])
    """
    pairs = scores.true_pairs
    if pairs.columns is None or pairs.ids is not None:
        raise InputError("leave-one-out needs one true column a row: leave out labels, ids and positives given apart.")
    pairs.check_distinct()
    n = len(scores.anchors)
    if n < 2:
        raise InputError("leave-one-out compares each candidate with the other anchors: give at least 2 pairs.")
    others = scores.logsumexp("anchors", positives="out")[pairs.columns]
    return scores.positive() - (others - torch.tensor(n - 1.0, dtype=others.dtype, device=others.device).log())
