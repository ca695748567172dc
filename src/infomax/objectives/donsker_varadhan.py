"""Donsker-Varadhan: the true pairs' mean score, against the log of the chance pairs' mean exponential, in nats.

    loss = log E_{p(x)p(y)} e^s - E_{p(x,y)} s        >= -I(X; Y), with equality at s = PMI + constant

Source: Donsker & Varadhan 1983; as MINE, Belghazi et al. 2018, arXiv:1801.04062, equation 10. The gradient of a batch's
log-mean is biased, for its normaliser is that of the batch alone. MINE puts a moving average in its place (section 3.2):
the gradient of the mean, which is unbiased, over an average that hardly moves.
"""

from __future__ import annotations

from math import log
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from infomax.errors import InputError
from infomax.objectives.chance import log_mean_exp
from infomax.scores import Scores


def donsker_varadhan(scores: Scores) -> Float[Tensor, " n"]:
    """(N,) log-mean of exp over the chance pairs of all rows, less the row's positive.

    The log-mean is one number for the batch: rows weigh the same, and within a row its chance pairs do.

    >>> donsker_varadhan(Scores(torch.eye(3), torch.eye(3)))
    tensor([-1., -1., -1.])
    """
    return log_normaliser(scores) - scores.positive()


def log_normaliser(scores: Scores) -> Tensor:
    """() log of the mean of exp(s) over the chance pairs of all rows."""
    by_row = log_mean_exp(scores)
    return torch.logsumexp(by_row, 0) - log(len(by_row))


def mine(scores: Scores, log_average: Any) -> Float[Tensor, " n"]:
    """`donsker_varadhan` in value; its gradient has exp(`log_average`) for the batch's own mean of exp(s).

    Args:
        log_average: number or tensor (): log of a moving average of exp(`log_normaliser`), no gradient through it.
    """
    of_batch = log_normaliser(scores)
    weight = (of_batch - log_average).detach().exp()
    corrected = of_batch.detach() + weight * (of_batch - of_batch.detach())
    return corrected - scores.positive()


class MineLoss(nn.Module):
    """Mean of `mine`, with the moving average as its state; in eval mode plain `donsker_varadhan`, and nothing moves.

    Args:
        rate: share of the newest batch in the average, in (0, 1]; 1 is the plain, biased gradient.
    """

    log_average: Tensor

    def __init__(self, rate: float = 0.01) -> None:
        super().__init__()
        if not 0 < rate <= 1:
            raise InputError(f"rate must lie in (0, 1]; got {rate}: 0.01 averages over about a hundred batches.")
        self.rate = rate
        self.register_buffer("log_average", torch.tensor(float("-inf"), dtype=torch.float64))

    def forward(self, scores: Scores) -> Tensor:
        if not self.training:
            return donsker_varadhan(scores).mean()
        with torch.no_grad():
            newest = log_normaliser(scores).to(self.log_average)
            if self.log_average.isneginf() or self.rate == 1:
                self.log_average.copy_(newest)
            else:
                older = self.log_average + log(1 - self.rate)
                self.log_average.copy_(torch.logaddexp(older, newest + log(self.rate)))
        return mine(scores, self.log_average).mean()

    def extra_repr(self) -> str:
        return f"rate={self.rate:g}"
