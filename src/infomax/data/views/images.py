"""Crops and flips of images in plain torch: each image of a batch has its own, on the device of the images."""

from __future__ import annotations

from math import log
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import grid_sample

from infomax.data.views import checks
from infomax.data.views.colours import gaussian_blur, jitter_colours, random_grayscale


def random_resized_crop(
    x: Any,
    rng: torch.Generator,
    size: Any = None,
    *,
    scale: Any = (0.08, 1.0),
    ratio: Any = (3 / 4, 4 / 3),
) -> Tensor:
    """(N, C, *size) a random part of each image, brought to one size.

    The part has a share of the area drawn from `scale`, a ratio of width to height whose log is uniform over `ratio`, both
    clipped to the image, and any place. Bilinear, without a low-pass filter: blur first where a large part becomes a small image.

    Args:
        x: (N, C, H, W) floating point.
        rng: the only source of randomness.
        size: (height, width); that of x by default.

    Source: Szegedy et al. 2015, arXiv:1409.4842, section 6.

    >>> random_resized_crop(torch.rand(4, 3, 8, 8), torch.Generator().manual_seed(0), (6, 5)).shape
    torch.Size([4, 3, 6, 5])
    """
    given = checks.images(x)
    # In half precision torch's grid_sample reads beyond large images.
    x = given.to(torch.promote_types(given.dtype, torch.float32))
    (n, _, height, width), (low, high) = x.shape, checks.span("scale", scale, most=1.0)
    tall, wide = (height, width) if size is None else checks.sides(size)
    area = checks.uniform(n, low, high, rng, x) * height * width
    narrow, broad = checks.span("ratio", ratio)
    slant = checks.uniform(n, log(narrow), log(broad), rng, x).exp()
    part = torch.stack([(area * slant).sqrt().clamp(max=width), (area / slant).sqrt().clamp(max=height)], 1)
    room = torch.tensor([width, height], dtype=x.dtype, device=x.device) - part
    corner = room * torch.stack([checks.uniform(n, 0.0, 1.0, rng, x) for _ in "xy"], 1)
    # Where the centres of the new pixels lie in the old image, in grid_sample's units: -1 and 1 are the outer edges.
    across, down = (
        (corner[:, axis, None] + part[:, axis, None] * (torch.arange(pixels, device=x.device) + 0.5) / pixels)
        * 2
        / length
        - 1
        for axis, pixels, length in ((0, wide, width), (1, tall, height))
    )
    grid = torch.stack([across[:, None, :].expand(n, tall, wide), down[:, :, None].expand(n, tall, wide)], 3)
    return grid_sample(x, grid, mode="bilinear", padding_mode="border", align_corners=False).to(given.dtype)


def random_flip(x: Any, rng: torch.Generator, p: float = 0.5) -> Tensor:
    """Each image mirrored left to right with probability p.

    >>> random_flip(torch.tensor([[[[1., 2.]]]]), torch.Generator(), p=1.0)
    tensor([[[[2., 1.]]]])
    """
    x = checks.images(x)
    mirrored = checks.chosen(len(x), checks.share("p", p), rng, x)
    return torch.where(mirrored[:, None, None, None], x.flip(3), x)


def simclr_view(x: Any, rng: torch.Generator, size: tuple[int, int] | None = None, *, strength: float = 1.0) -> Tensor:
    """SimCLR's view: crop, flip, colours (of 3 channels; brightness and contrast of 1), grey, blur.

    Args:
        x: (N, 1 or 3, H, W) floating point, from 0 to 1.
        strength: of the colours' jitter, 0 to 1; small images (CIFAR) take 0.5.

    Source: Chen et al. 2020, arXiv:2002.05709, appendix A.

    >>> x, rng = torch.rand(4, 3, 32, 32), torch.Generator().manual_seed(0)
    >>> first, second = simclr_view(x, rng), simclr_view(x, rng)
    """
    x = checks.images(x, (1, 3), colours=True)
    s = checks.share("strength", strength)
    x = random_flip(random_resized_crop(x, rng, size), rng)
    if x.shape[1] == 3:
        x = random_grayscale(jitter_colours(x, rng, 0.8 * s, 0.8 * s, 0.8 * s, 0.2 * s, p=0.8), rng, p=0.2)
    else:
        x = jitter_colours(x, rng, 0.8 * s, 0.8 * s, p=0.8)
    return gaussian_blur(x, rng, p=0.5)
