"""The separable critic s_ij = <g(x_i), h(y_j)>: a network a side, N + M evaluations for all N·M pairs, streamed.

With enough outputs it can be any function of the pair; how many a given PMI needs is its rank.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from infomax.critics.layers import features, network
from infomax.scores import Scores


class Separable(nn.Module):
    """Scores of x (N, x_width) and y (M, y_width).

    Args:
        x_width, y_width: columns of x and of y.
        hidden: widths of the hidden layers, of both sides.
        out: width of the embeddings g(x) and h(y).
        generator: of the random start.

    >>> critic = Separable(3, 2, generator=torch.Generator().manual_seed(0))
    >>> critic(torch.zeros(4, 3), torch.ones(4, 2)).shape
    (4, 4)
    """

    def __init__(
        self,
        x_width: int,
        y_width: int,
        *,
        hidden: Sequence[int] = (128, 128),
        out: int = 32,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.x_width, self.y_width = x_width, y_width
        self.g, self.h = (network((width, *hidden, out), generator) for width in (x_width, y_width))
        self.scale = out**-0.5  # scores of order 1 at the start

    def forward(self, x: Any, y: Any, **pairs: Any) -> Scores:
        """`pairs`: options of `Scores`."""
        anchors = self.g(features(x, "x", self.x_width)) * self.scale
        return Scores(anchors, self.h(features(y, "y", self.y_width)), **pairs)
