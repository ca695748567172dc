"""Small networks with a start of their own generator."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from infomax.errors import InputError


def network(widths: Sequence[int], generator: torch.Generator | None) -> nn.Sequential:
    """Linear layers of these widths, GELU between them."""
    layers: list[nn.Module] = []
    for inputs, outputs in pairwise(widths):
        layers += [linear(inputs, outputs, generator), nn.GELU()]
    return nn.Sequential(*layers[:-1])


def linear(inputs: int, outputs: int, generator: torch.Generator | None, *, bias: bool = True) -> nn.Linear:
    """`nn.Linear`, its law of the start drawn from `generator`."""
    if inputs < 1 or outputs < 1:
        raise InputError(f"a layer needs at least one input and one output; got {inputs} and {outputs}.")
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs, bias=bias)
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -(inputs**-0.5), inputs**-0.5, generator=generator)
    return layer


def features(value: Any, name: str, width: int) -> Tensor:
    """(N, width) floating point, or a plain refusal."""
    if not isinstance(value, Tensor) or value.ndim != 2 or value.shape[1] != width or not value.is_floating_point():
        came = f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise InputError(f"{name} must be a floating point tensor (N, {width}); got {came}.")
    return value
