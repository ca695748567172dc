"""The rate: how far p(y|x) lies from one marginal r(y) for all x, in nats; lower it to remove information.

    loss = E_{p(x,y)} log p(y|x) / r(y)      = E KL(p(y|x) || r(y)) = I(X; Y) + KL(p(y) || r(y)) >= I(X; Y)

The information bottleneck's and the variational autoencoder's penalty, for any normalised r, fixed or learned.
Sources: Barber & Agakov 2003; Alemi et al. 2017, arXiv:1612.00410, equation 14; Poole et al. 2019, arXiv:1905.06922, equation 1.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor

from infomax.objectives.chance import per_anchor
from infomax.scores import Scores


def rate(scores: Scores, log_marginal: Any) -> Float[Tensor, " n"]:
    """(N,) log p(y|x) - log r(y) of the true pairs; the scores are log p(y_j | x_i).

    Args:
        log_marginal: (N,) log r(y) of each anchor's true candidate; differentiable.

    >>> import torch
    >>> log_p = torch.tensor([[0.9, 0.1], [0.2, 0.8]]).log()
    >>> rate(Scores(log_p, torch.eye(2)), torch.full((2,), 0.5).log())
    tensor([0.5878, 0.4700])
    """
    positive = scores.positive()
    return positive - per_anchor(log_marginal, "log_marginal", positive)
