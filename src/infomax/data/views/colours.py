"""Colours and sharpness of images in plain torch, from 0 to 1: each image of a batch has its own change.

The changes are those of torchvision's `ColorJitter`: brightness scales, contrast mixes with the image's mean grey, saturation
with each pixel's grey, hue turns the colour circle. Source: Chen et al. 2020, arXiv:2002.05709, appendix A.
"""

from __future__ import annotations

from math import ceil
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from infomax.data.views import checks
from infomax.errors import InputError

GREY = (0.299, 0.587, 0.114)  # ITU-R BT.601


def jitter_colours(
    x: Any,
    rng: torch.Generator,
    brightness: float = 0.0,
    contrast: float = 0.0,
    saturation: float = 0.0,
    hue: float = 0.0,
    *,
    p: float = 1.0,
) -> Tensor:
    """Each image, with probability p, changed in a random order (one for the batch) by random amounts (its own).

    Args:
        x: (N, 1 or 3, H, W) floating point from 0 to 1; saturation and hue take 3 channels.
        brightness, contrast, saturation: b, from 0: factors are uniform over max(0, 1 - b) to 1 + b.
        hue: h, from 0 to 0.5: shifts are uniform over -h to h of the circle.

    >>> jitter_colours(torch.full((1, 1, 1, 1), 0.4), torch.Generator().manual_seed(0), brightness=0.5).shape
    torch.Size([1, 1, 1, 1])
    """
    x = checks.images(x, (3,) if saturation or hue else (1, 3), colours=True)
    if not (min(brightness, contrast, saturation) >= 0 and 0 <= hue <= 0.5):
        raise InputError(
            "brightness, contrast and saturation must be at least 0, and hue from 0 to 0.5; got "
            f"{brightness}, {contrast}, {saturation} and {hue}."
        )
    changed, n = x, len(x)
    for kind in torch.randperm(4, generator=rng, device=rng.device).tolist():
        amount = (brightness, contrast, saturation, hue)[kind]
        if not amount:
            continue
        if kind == 3:
            changed = turned_hue(changed, checks.uniform(n, -hue, hue, rng, x))
            continue
        factor = checks.uniform(n, max(0.0, 1 - amount), 1 + amount, rng, x)[:, None, None, None]
        other = (torch.zeros_like(changed), grey(changed).mean((1, 2, 3), keepdim=True), grey(changed))[kind]
        changed = (factor * changed + (1 - factor) * other).clamp(0, 1)
    touched = checks.chosen(n, checks.share("p", p), rng, x)
    return torch.where(touched[:, None, None, None], changed, x)


def random_grayscale(x: Any, rng: torch.Generator, p: float = 0.2) -> Tensor:
    """Each image of 3 channels turned to its grey, in all of them, with probability p."""
    x = checks.images(x, (3,))
    touched = checks.chosen(len(x), checks.share("p", p), rng, x)
    return torch.where(touched[:, None, None, None], grey(x), x)


def gaussian_blur(x: Any, rng: torch.Generator, sigma: tuple[float, float] = (0.1, 2.0), *, p: float = 0.5) -> Tensor:
    """Each image, with probability p, blurred by a Gaussian whose width, in pixels, is uniform over `sigma`; edges are mirrored.

    The Gaussian is cut at 3 of the largest widths, or at the image's side less one where that is shorter.

    >>> gaussian_blur(torch.ones(2, 1, 5, 5), torch.Generator().manual_seed(0), p=1.0).std() < 1e-6
    tensor(True)
    """
    x = checks.images(x)
    (n, channels, height, width), (low, high) = x.shape, checks.span("sigma", sigma)
    widths, blurred = checks.uniform(n, low, high, rng, x), x
    for side, axis in ((height, 2), (width, 3)):
        reach = min(ceil(3 * high), side - 1)
        steps = torch.arange(-reach, reach + 1, device=x.device, dtype=x.dtype)
        kernel = torch.softmax(-(steps**2) / (2 * widths[:, None] ** 2), 1).repeat_interleave(channels, 0)
        kernel = kernel[:, None, :, None] if axis == 2 else kernel[:, None, None, :]
        edge = (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0)
        flat = pad(blurred, edge, mode="reflect").reshape(1, n * channels, *_padded(height, width, reach, axis))
        blurred = conv2d(flat, kernel, groups=n * channels).reshape(x.shape) if n else blurred
    touched = checks.chosen(n, checks.share("p", p), rng, x)
    return torch.where(touched[:, None, None, None], blurred, x)


def _padded(height: int, width: int, reach: int, axis: int) -> tuple[int, int]:
    return (height + 2 * reach, width) if axis == 2 else (height, width + 2 * reach)


def grey(x: Tensor) -> Tensor:
    """(N, 1, H, W) of 3 channels (red, green, blue), or the one there is."""
    if x.shape[1] == 1:
        return x
    return (x * torch.tensor(GREY, dtype=x.dtype, device=x.device)[:, None, None]).sum(1, keepdim=True)


def turned_hue(x: Tensor, shift: Tensor) -> Tensor:
    """(N, 3, H, W) with the hue of image i turned by shift_i of the circle; value and saturation stay."""
    value, low = x.amax(1), x.amin(1)
    chroma = value - low
    red, green, blue = x.unbind(1)
    some = torch.where(chroma > 0, chroma, 1.0)
    sixth = torch.where(
        value == red,
        (green - blue) / some,
        torch.where(value == green, 2 + (blue - red) / some, 4 + (red - green) / some),
    )
    sixth = (sixth + 6 * shift[:, None, None]).remainder(6)
    # channel c is value - chroma·max(0, min(k, 4 - k, 1)) with k = (n_c + hue in sixths) mod 6 and n = 5, 3, 1
    channels = []
    for offset in (5, 3, 1):
        k = (offset + sixth).remainder(6)
        channels.append(value - chroma * torch.minimum(k, 4 - k).clamp(0, 1))
    return torch.stack(channels, 1)
