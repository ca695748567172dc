"""The conditional q(y|x) = N(y; mu(x), diag exp(log_variance(x))) as a critic: s_ij = log q(y_j | x_i).

A Gaussian's log density is linear in (y, y²), so the scores of all pairs are one product, streamed:
    log q(y|x) = <mu/v, y> - <1/(2v), y²> - Σ (mu²/v + log 2πv) / 2
What `barber_agakov`, `club`, `leave_one_out` and `rate` take; fit it by `objectives.barber_agakov`. The log-variance is not
squashed: a bounded one lets CLUB fall below the truth.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, pi
from typing import Any

import torch
from torch import Tensor, nn

from infomax.critics.layers import features, network
from infomax.errors import InputError
from infomax.scores import Scores

LOG_2PI = log(2 * pi)


def gaussian_conditional(mean: Tensor, log_variance: Tensor, y: Any, **pairs: Any) -> Scores:
    """s_ij = log N(y_j; mean_i, diag exp(log_variance_i)), for mean and log_variance (N, d) and y (M, d).

    y is centred at its mean first, which changes no density and keeps digits; where a standard deviation is below about
    1e-3 of the spread of y, use float64.

    Args:
        pairs: options of `Scores`; the row offset is taken.

    >>> gaussian_conditional(torch.zeros(1, 1), torch.zeros(1, 1), torch.tensor([[0.0], [1.0]])).dense()
    tensor([[-0.9189, -1.4189]])
    """
    if mean.ndim != 2 or mean.shape != log_variance.shape:
        raise InputError(
            f"mean and log_variance must have one shape (N, d); got {tuple(mean.shape)} and {tuple(log_variance.shape)}."
        )
    y = features(y, "y", mean.shape[1])
    centre = y.detach().mean(0)
    mean, y, precision = mean - centre, y - centre, (-log_variance).exp()
    anchors = torch.cat([mean * precision, -precision / 2], 1)
    normaliser = (mean.square() * precision + log_variance + LOG_2PI).sum(1) / 2
    return Scores(anchors, torch.cat([y, y.square()], 1), row_offset=-normaliser, **pairs)


class GaussianConditional(nn.Module):
    """log q(y_j | x_i) of x (N, x_width) and y (M, y_width), mean and log-variance from one network.

    Args:
        x_width, y_width: columns of x and of y.
        hidden: widths of the hidden layers; none gives a linear mean and log-variance.
        generator: of the random start.

    >>> critic = GaussianConditional(3, 2, generator=torch.Generator().manual_seed(0))
    >>> critic(torch.zeros(4, 3), torch.ones(4, 2)).shape
    (4, 4)
    """

    def __init__(
        self,
        x_width: int,
        y_width: int,
        *,
        hidden: Sequence[int] = (128, 128),
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.x_width, self.y_width = x_width, y_width
        self.network = network((x_width, *hidden, 2 * y_width), generator)

    def forward(self, x: Any, y: Any, **pairs: Any) -> Scores:
        """`pairs`: options of `Scores`; the row offset is taken."""
        mean, log_variance = self.network(features(x, "x", self.x_width)).chunk(2, 1)
        return gaussian_conditional(mean, log_variance, features(y, "y", self.y_width), **pairs)
