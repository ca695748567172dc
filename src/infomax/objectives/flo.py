"""FLO: a tangent for each pair, where TUBA has one for each anchor; a second critic draws it, in nats.

    loss_i = u_i + E_y e^{s(x_i, y) - s_i,pos - u_i} - 1      >= -I(X; Y) on average, for every u(x, y)

The best u is log E_y e^{s(x_i, y) - s_i,pos}, which at s = PMI + c(x) is -PMI; so what is learned beside the scores is an
estimate of the PMI of a pair, `log_ratio` = -u, free of any function of the anchor.
Source: Guo et al. 2022, arXiv:2107.01131, equation 8.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor

from infomax.objectives.chance import log_mean_exp, per_anchor
from infomax.scores import Scores


def flo(scores: Scores, log_ratio: Any) -> Float[Tensor, " n"]:
    """(N,) losses.

    Args:
        log_ratio: (N,) the second critic's estimate of log p(x, y) / p(x) p(y) for each true pair, -u in the paper.

    >>> import torch
    >>> flo(Scores(torch.eye(3), torch.eye(3)), log_ratio=torch.ones(3))
    tensor([-1., -1., -1.])
    """
    positive = scores.positive()
    ratio = per_anchor(log_ratio, "log_ratio", positive)
    return (log_mean_exp(scores) - positive + ratio).exp() - ratio - 1
