"""A backward pass that can be run but not differentiated.

torch's own `once_differentiable` refuses a second derivative only where the incoming gradient asks for one, which that of a mean
does not: a gradient penalty would be a constant, and silently missing from the gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, NoReturn

import torch
from torch import Tensor

from infomax.errors import InputError


def first_derivative(backward: Callable[..., Any]) -> Callable[..., Any]:
    """`backward` without a graph of its own; who differentiates what it returns (`create_graph=True`) is told so."""

    @wraps(backward)
    def guarded(ctx: Any, *gradients: Tensor) -> Any:
        with torch.no_grad():
            found = backward(ctx, *gradients)
        if not torch.is_grad_enabled():  # as it is but for create_graph
            return found
        outputs = found if isinstance(found, tuple) else (found,)
        return tuple(None if x is None else _NoSecond.apply(x.detach().requires_grad_()) for x in outputs)

    return guarded


class _NoSecond(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:  # noqa: ARG004
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> NoReturn:  # noqa: ARG004
        raise InputError(
            "A second derivative was asked for (create_graph=True, a gradient penalty) where there are first ones only: of "
            "scores, use Scores(..., backend='dense'); of gathered vectors or of a static text encoder there is none."
        )
