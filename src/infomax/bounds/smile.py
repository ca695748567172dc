"""SMILE on held-out pairs: Donsker-Varadhan with a clipped ratio; no bound, it may lie on either side of I(X; Y).

Source: Song & Ermon 2020, arXiv:1910.06222, equation 13.
"""

from __future__ import annotations

from math import inf
from typing import Any

import torch
from torch import Tensor

from infomax import objectives
from infomax.bounds.bound import Bound
from infomax.bounds.reading import earned, fn_taken, reading
from infomax.objectives.chance import mean_of
from infomax.objectives.smile import clipped_log_normaliser
from infomax.scores import Scores


@torch.no_grad()
def smile(scores: Scores, *, clip: float = 5.0, groups: Any = None) -> Bound:
    """Neither side: the clipped mean is not the normaliser. No ceiling.

    Args:
        scores: of held-out pairs, by a critic that has not seen them.
        clip: positive, in nats: chance pairs count with exp(s) between exp(-clip) and exp(clip).
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups.

    >>> smile(Scores(torch.eye(4), torch.eye(4)), clip=0.5).value  # above DV's, by what the clip takes off
    1.0
    """
    normaliser = clipped_log_normaliser(scores, clip).double()

    def share(s: Tensor) -> Tensor:
        return (s.clamp(-clip, clip) - normaliser.to(s.dtype)).exp()

    values = -objectives.smile(scores, clip=clip)
    taken = mean_of(share, scores).double() + fn_taken(scores, share)
    side = earned(scores, "neither", "no bound: the mean of the clipped ratio is not the normaliser")
    return reading(values, taken, inf, side, groups)
