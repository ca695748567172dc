"""CLUB: how much likelier the true pairs are than chance pairs under p(y|x), in nats; lower it to remove information.

    loss = E_{p(x,y)} log p(y|x) - E_{p(x)p(y)} log p(y|x)      = I(X; Y) + KL(p(x)p(y) || p(x,y)) >= I(X; Y)

A function of the anchor or of the candidate added to the scores changes nothing on average, so PMI does as well as log p(y|x).
Source: Cheng et al. 2020, arXiv:2006.12013, theorem 3.1. Where p(y|x) is not known a fitted q(y|x) stands in (their
section 3.2): fit it by `barber_agakov`, in turn with the encoder that lowers this loss.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from infomax.objectives.chance import mean_of
from infomax.scores import Scores


def club(scores: Scores) -> Float[Tensor, " n"]:
    """(N,) the positive less the mean of the row's chance pairs; the scores are log p(y_j | x_i).

    >>> import torch
    >>> club(Scores(torch.eye(3), torch.eye(3)))
    tensor([1., 1., 1.])
    """
    return scores.positive() - mean_of(lambda s: s, scores)
