"""The bilinear critic s_ij = x_iᵀ W y_j + b: log p(x, y)/p(x)p(y) of two sides that are exponential families given each other."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from infomax.critics.layers import features, linear
from infomax.scores import Scores


class Bilinear(nn.Module):
    """Scores of x (N, x_width) and y (M, y_width), streamed: one product by W, then that of the pairs.

    Args:
        x_width, y_width: columns of x and of y.
        generator: of the random start.

    >>> critic = Bilinear(3, 2, generator=torch.Generator().manual_seed(0))
    >>> critic(torch.zeros(4, 3), torch.ones(4, 2)).shape
    (4, 4)
    """

    def __init__(self, x_width: int, y_width: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.x_width, self.y_width = x_width, y_width
        self.weight = linear(x_width, y_width, generator, bias=False)

    def forward(self, x: Any, y: Any, **pairs: Any) -> Scores:
        """`pairs`: options of `Scores`."""
        return Scores(self.weight(features(x, "x", self.x_width)), features(y, "y", self.y_width), **pairs)
