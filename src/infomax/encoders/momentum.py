"""A momentum copy of an encoder: θ' ← m·θ' + (1 - m)·θ after each step, so that it changes slowly and smoothly.

Its vectors are the keys of a queue (MoCo) or the targets of a predictor (BYOL). m near 1 keeps old keys comparable with new
ones. Sources: He et al. 2020, arXiv:1911.05722, equation 2; Grill et al. 2020, arXiv:2006.07733, section 3.2.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from math import cos, pi
from typing import Any

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from infomax.errors import InputError

Schedule = Callable[[int], float]


def cosine_momentum(steps: int, start: float = 0.99, end: float = 1.0) -> Schedule:
    """From `start` at update 0 to `end` at update `steps` and after, along half a cosine, as in BYOL.

    >>> momentum = cosine_momentum(100)
    >>> tuple(round(momentum(step), 4) for step in (0, 50, 100, 200))
    (0.99, 0.995, 1.0, 1.0)
    """
    if steps < 1 or not 0 <= start <= end <= 1:
        raise InputError(f"a schedule needs steps ≥ 1 and 0 ≤ start ≤ end ≤ 1; got {steps}, {start} and {end}.")
    return lambda step: end - (end - start) * (cos(pi * min(step, steps) / steps) + 1) / 2


class Momentum(nn.Module):
    """A copy of `module` that follows it; called like it, in its own mode (train or eval), and never gives a gradient.

    Parameters and floating point buffers (running means, say) are averaged; other buffers (counts) are taken over. All is in the
    `state_dict`, the number of updates too, which is what a schedule goes by. A schedule itself is not: give it again.

    Args:
        module: any module; float32 or float64, for in half precision 1 - m would be rounded off.
        momentum: m from 0 to 1, or a function from the number of updates so far to it (`cosine_momentum`).

    Raises:
        InputError: m out of range, half precision, or parameters that are still to be sized.

    >>> online = nn.Linear(2, 2)
    >>> slow = Momentum(online, 0.9)
    >>> before = online.weight.detach().clone()
    >>> with torch.no_grad():
    ...     _ = online.weight.add_(1)
    >>> slow.update(online)
    >>> (slow.module.weight - before).round(decimals=4)
    tensor([[0.1000, 0.1000],
            [0.1000, 0.1000]])
    """

    updates: torch.Tensor

    def __init__(self, module: nn.Module, momentum: float | Schedule = 0.999) -> None:
        super().__init__()
        for name, parameter in module.named_parameters():
            if is_lazy(parameter):
                raise InputError(f"parameter {name} has no size yet: run the module on one batch before it is copied.")
            if parameter.dtype in (torch.float16, torch.bfloat16):
                raise InputError(
                    f"parameter {name} is {parameter.dtype}, in which small updates are rounded off: keep float32 "
                    "weights, and use autocast for speed."
                )
        self.module = deepcopy(module).requires_grad_(False)
        self.momentum = momentum if callable(momentum) else _constant(momentum)
        self.register_buffer("updates", torch.tensor(0))

    @torch.no_grad()
    def forward(self, *inputs: Any, **options: Any) -> Any:
        return self.module(*inputs, **options)

    @torch.no_grad()
    def update(self, online: nn.Module) -> None:
        """Follow the module as it is now; call it once after each step of its optimizer.

        Raises:
            InputError: a module of another make, or a schedule that leaves 0 to 1.
        """
        own, new = _tensors(self.module), _tensors(online)
        if own.keys() != new.keys() or any(own[name].shape != new[name].shape for name in own):
            raise InputError("update takes the module that was copied, or one of the same make; its tensors differ.")
        m = self.momentum(int(self.updates))
        if not 0 <= m <= 1:
            raise InputError(f"momentum must lie from 0 to 1; the schedule gave {m} at update {int(self.updates)}.")
        for name, tensor in own.items():
            value = new[name].to(tensor)
            if tensor.is_floating_point():
                tensor.lerp_(value, 1 - m)
            else:
                tensor.copy_(value)
        self.updates += 1


def _constant(momentum: float) -> Schedule:
    if not 0 <= momentum <= 1:
        raise InputError(f"momentum must lie from 0 to 1; got {momentum}: 0.99 to 0.9999 is usual.")
    return lambda _: momentum


def _tensors(module: nn.Module) -> dict[str, torch.Tensor]:
    """Parameters and buffers by name, shared ones once."""
    return {name: tensor.detach() for name, tensor in (*module.named_parameters(), *module.named_buffers())}
