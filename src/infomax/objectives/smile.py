"""SMILE: Donsker-Varadhan with the density ratio clipped in its normaliser, in nats: less variance, and no bound.

    loss = log E_{p(x)p(y)} min(max(e^s, e^-clip), e^clip) - E_{p(x,y)} s

Source: Song & Ermon 2020, arXiv:1910.06222, equation 13. They train the critic by `jensen_shannon`, and only read it so.
"""

from __future__ import annotations

from math import isfinite, log

import torch
from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.objectives.chance import mean_of
from infomax.scores import Scores


def smile(scores: Scores, *, clip: float = 5.0) -> Float[Tensor, " n"]:
    """(N,) log-mean of the clipped exp over the chance pairs of all rows, less the row's positive, which is not clipped.

    Args:
        clip: positive, in nats.

    >>> smile(Scores(torch.eye(3), torch.eye(3)), clip=0.5)
    tensor([-1., -1., -1.])
    """
    return clipped_log_normaliser(scores, clip) - scores.positive()


def clipped_log_normaliser(scores: Scores, clip: float) -> Tensor:
    """() log of the mean of exp(clipped s) over the chance pairs of all rows."""
    if not (isfinite(clip) and clip > 0):
        raise InputError(f"clip must be positive and finite; got {clip}: 1 to 10 nats are usual.")
    by_row = mean_of(lambda s: (s.clamp(-clip, clip) - clip).exp(), scores)
    return torch.logsumexp(by_row.log(), 0) - log(len(by_row)) + clip
