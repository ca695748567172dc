"""What the views take."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

import torch
from torch import Tensor

from infomax.errors import InputError


def images(x: Any, channels: tuple[int, ...] | None = None, *, colours: bool = False) -> Tensor:
    """(N, C, H, W) floating point, with one of the given numbers of channels; `colours` from 0 to 1."""
    if not isinstance(x, Tensor) or x.ndim != 4 or not x.is_floating_point():
        came = f"{x.dtype} {tuple(x.shape)}" if isinstance(x, Tensor) else type(x).__name__
        raise InputError(f"images must be a floating point tensor (N, C, H, W); got {came}.")
    if 0 in x.shape[1:]:
        raise InputError(f"images must have a channel and pixels; got {tuple(x.shape)}.")
    if channels is not None and x.shape[1] not in channels:
        raise InputError(f"this view takes images with {' or '.join(map(str, channels))} channels; got {x.shape[1]}.")
    if colours and x.numel() and not (float(x.min()) >= 0 and float(x.max()) <= 1):
        raise InputError(
            f"colours must lie from 0 to 1; got {float(x.min()):g} to {float(x.max()):g}: change them before you standardise."
        )
    return x


def share(name: str, value: float, least: float = 0.0) -> float:
    """A number from `least` to 1."""
    if not least <= value <= 1:
        raise InputError(f"{name} must lie from {least:g} to 1; got {value}.")
    return value


def span(name: str, value: Any, most: float = 1e6) -> tuple[float, float]:
    """Two positive numbers in order, from a millionth to `most`."""
    pair = value if isinstance(value, Sequence) and len(value) == 2 else (0, 0)
    if not all(isinstance(end, Real) for end in pair) or not 1e-6 <= pair[0] <= pair[1] <= most:
        raise InputError(f"{name} must be two numbers, 1e-06 ≤ low ≤ high ≤ {most:g}; got {value!r}.")
    return pair[0], pair[1]


def sides(size: Any) -> tuple[int, int]:
    """Height and width of an image."""
    pair = size if isinstance(size, Sequence) and len(size) == 2 else (0, 0)
    if not all(isinstance(side, Integral) and side >= 1 for side in pair):  # type: ignore[operator]
        raise InputError(f"size must be (height, width), whole numbers of at least 1; got {size!r}.")
    return int(pair[0]), int(pair[1])


def uniform(n: int, low: float, high: float, rng: torch.Generator, like: Tensor) -> Tensor:
    """(n,) uniform numbers, drawn where the generator lives."""
    drawn = torch.rand(n, generator=rng, device=rng.device, dtype=torch.float64) * (high - low) + low
    return drawn.to(device=like.device, dtype=like.dtype)


def chosen(n: int, p: float, rng: torch.Generator, like: Tensor) -> Tensor:
    """(n,) bool, each true with probability p."""
    return (torch.rand(n, generator=rng, device=rng.device, dtype=torch.float64) < p).to(like.device)
