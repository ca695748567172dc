"""Barber-Agakov: the cross-entropy of a conditional q(y|x), in nats. Fitting q by it is maximum likelihood.

    loss = -E log q(y|x)      >= H(Y|X) = H(Y) - I(X; Y), with equality at q = p

Source: Barber & Agakov 2003, "The IM algorithm", equation 3.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from infomax.scores import Scores


def barber_agakov(scores: Scores) -> Float[Tensor, " n"]:
    """(N,) -log q(y|x) of the true pairs; the scores are log q(y_j | x_i), q normalised over y.

    >>> import torch
    >>> log_q = torch.tensor([[0.9, 0.1], [0.2, 0.8]]).log()  # a class each row, one-hot: the scores of a classifier
    >>> barber_agakov(Scores(log_q, torch.eye(2)))
    tensor([0.1054, 0.2231])
    """
    return -scores.positive()
