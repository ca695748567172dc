"""A small convolutional encoder: vectors of an image's places, and from them one vector of the image.

Each layer halves the side (3 × 3, stride 2), so two layers turn 28 × 28 pixels into 7 × 7 places, each of which has seen 7 × 7
pixels. Deep InfoMax (arXiv:1808.06670, figure 1) contrasts the places with the vector; everything else uses the vector alone.
A place that has seen the whole image can say no less than the vector: keep places small, and put further layers in `deeper`.
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
        filters: of the convolutions before the places, at least one; the last is the width of the local vectors.
        deeper: filters of the convolutions between the places and the vector.
        hidden: width of the layer between the places and the vector.
        width: of the vector.
        generator: of the random start.

    Attributes:
        places, local_width: L and c of `maps`.

    >>> encoder = ConvEncoder(28, generator=torch.Generator().manual_seed(0))
    >>> tuple(tuple(x.shape) for x in encoder.maps(torch.zeros(5, 1, 28, 28)))
    ((5, 49, 64), (5, 64))
    """

    def __init__(
        self,
        side: int,
        *,
        channels: int = 1,
        filters: Sequence[int] = (32, 64),
        deeper: Sequence[int] = (),
        hidden: int = 256,
        width: int = 64,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if min(side, channels, len(filters), *filters, *deeper, hidden, width) < 1:
            raise InputError(
                "a convolutional encoder needs positive sizes, and at least one filter before the places; "
                f"got side={side}, channels={channels}, filters={tuple(filters)}, deeper={tuple(deeper)}, "
                f"hidden={hidden}, width={width}."
            )
        self.shape = channels, side, side
        self.places, self.local_width = _halved(side, len(filters)) ** 2, filters[-1]
        self.local = _convolutions((channels, *filters), generator)
        last = (*filters, *deeper)[-1] * _halved(side, len(filters) + len(deeper)) ** 2
        self.whole = nn.Sequential(
            *_convolutions((filters[-1], *deeper), generator),
            nn.Flatten(),
            linear(last, hidden, generator),
            nn.ReLU(),
            linear(hidden, width, generator),
        )

    def forward(self, images: Any) -> Tensor:
        """(N, width) vectors of (N, channels, side, side) images.

        Raises:
            InputError: images of another shape, or not floating point.
        """
        return self.maps(images)[1]

    def maps(self, images: Any) -> tuple[Tensor, Tensor]:
        """(N, L, c) vectors of the L places, row by row of the image, and (N, width) vectors of the images."""
        if not isinstance(images, Tensor) or images.shape[1:] != self.shape or not images.is_floating_point():
            came = f"{images.dtype} {tuple(images.shape)}" if isinstance(images, Tensor) else type(images).__name__
            raise InputError(
                f"images must be a floating point tensor (N, {', '.join(map(str, self.shape))}); got {came}."
            )
        local = self.local(images)
        return local.flatten(2).mT, self.whole(local)


def _halved(side: int, times: int) -> int:
    """`side` halved and rounded up, so many times."""
    return -(-side // 2**times)


def _convolutions(filters: Sequence[int], generator: torch.Generator | None) -> nn.Sequential:
    """3 × 3 with stride 2, a ReLU after each; the start is He et al.'s law, which keeps the scale through a ReLU."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(filters):
        layer = nn.utils.skip_init(nn.Conv2d, inputs, outputs, 3, stride=2, padding=1)
        nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu", generator=generator)
        nn.init.zeros_(layer.bias)
        layers += [layer, nn.ReLU()]
    return nn.Sequential(*layers)
