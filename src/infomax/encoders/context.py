"""The autoregressive part of contrastive predictive coding: codes of a sequence in, predictions of later codes out.

A GRU sums up the codes z_1 .. z_t in a context c_t; a matrix W_k for each step predicts z_t+k. What is used afterwards is the
context. Source: van den Oord et al. 2018, arXiv:1807.03748, section 2.2 and figure 1.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from infomax.critics.layers import linear
from infomax.errors import InputError


class PredictiveContext(nn.Module):
    """Codes (B, T, width) -> predictions (B, T, steps, width), none of which has seen a later code.

    Args:
        width: of the codes.
        hidden: of the context.
        steps: how many steps ahead are predicted, 1 to `steps`.
        generator: of the random start.

    >>> context = PredictiveContext(3, 8, 2, generator=torch.Generator().manual_seed(0))
    >>> context(torch.zeros(4, 6, 3)).shape, context.context(torch.zeros(4, 6, 3)).shape
    (torch.Size([4, 6, 2, 3]), torch.Size([4, 6, 8]))
    """

    def __init__(self, width: int, hidden: int, steps: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        if min(width, hidden, steps) < 1:
            raise InputError(f"width, hidden and steps must be positive; got {width}, {hidden} and {steps}.")
        self.width, self.steps = width, steps
        self.past = nn.GRU(width, hidden, batch_first=True, device="meta").to_empty(
            device="cpu"
        )  # no global seed is spent
        for parameter in self.past.parameters():
            nn.init.uniform_(parameter, -(hidden**-0.5), hidden**-0.5, generator=generator)
        self.ahead = linear(hidden, steps * width, generator, bias=False)

    def forward(self, codes: Any) -> Tensor:
        return self.ahead(self.context(codes)).unflatten(-1, (self.steps, self.width))

    def context(self, codes: Any) -> Tensor:
        """(B, T, hidden): at each moment, what is kept of the codes up to it."""
        if not isinstance(codes, Tensor) or codes.ndim != 3 or codes.shape[2] != self.width:
            came = tuple(codes.shape) if isinstance(codes, Tensor) else type(codes).__name__
            raise InputError(f"codes must be a floating point tensor (B, T, {self.width}); got {came}.")
        return self.past(codes)[0]
