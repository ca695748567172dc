"""A small convolutional encoder: vectors of an image's places, and from them one vector of the image.

Each layer halves the side (3 × 3, stride 2), so two layers turn 28 × 28 pixels into 7 × 7 places, each of which has seen 7 × 7
pixels. Deep InfoMax (arXiv:1808.06670, figure 1) contrasts the places with the vector; everything else uses the vector alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from infomax.critics.layers import linear
from infomax.errors import InputError


class ConvEncoder(nn.Module):
    """Square images (N, channels, side, side) -> vectors (N, width).

    Args:
        side, channels: of the images.
        filters: of the convolutions, at least one; the last is the width of the local vectors.
        hidden: width of the layer between the places and the vector.
        width: of the vector.
        generator: of the random start.

    Attributes:
        places, local_width: L and c of `maps`.

    >>> encoder = ConvEncoder(28, generator=torch.Generator().manual_seed(0))
    >>> [tuple(x.shape) for x in encoder.maps(torch.zeros(5, 1, 28, 28))]
    [(5, 49, 64), (5, 64)]
    """

    def __init__(
        self,
        side: int,
        *,
        channels: int = 1,
        filters: Sequence[int] = (32, 64),
        hidden: int = 256,
        width: int = 64,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if min(side, channels, len(filters), *filters, hidden, width) < 1:
            raise InputError(
                "a convolutional encoder needs a positive side, channels, hidden and width, and at least one filter; "
                f"got side={side}, channels={channels}, filters={tuple(filters)}, hidden={hidden}, width={width}."
            )
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise((channels, *filters)):
            layers += [_convolution(inputs, outputs, generator), nn.ReLU()]
            side = (side + 1) // 2
        self.places, self.local_width = side**2, filters[-1]
        self.local = nn.Sequential(*layers)
        self.whole = nn.Sequential(
            nn.Flatten(), linear(self.places * self.local_width, hidden, generator), nn.ReLU(), linear(hidden, width, generator)
        )  # fmt: skip

    def forward(self, images: Any) -> Tensor:
        return self.whole(self.local(images))

    def maps(self, images: Any) -> tuple[Tensor, Tensor]:
        """(N, L, c) vectors of the L places, row by row of the image, and (N, width) vectors of the images."""
        local = self.local(images)
        return local.flatten(2).mT, self.whole(local)


def _convolution(inputs: int, outputs: int, generator: torch.Generator | None) -> nn.Conv2d:
    """3 × 3 with stride 2, its start drawn from `generator` by He et al.'s law, which keeps the scale through a ReLU."""
    layer = nn.utils.skip_init(nn.Conv2d, inputs, outputs, 3, stride=2, padding=1)
    nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
    nn.init.zeros_(layer.bias)
    return layer
