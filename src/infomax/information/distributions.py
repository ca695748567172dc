"""Distributions as arrays: numpy arrays (lists, series) or torch tensors, checked, and 0 log 0 = 0 with finite gradients.

A pmf or a joint table is an array of probabilities that sum to 1. In joint tables axis 0 is x, axis 1 is y, axis 2 is z.
Numbers go to float64 in numpy; a tensor keeps its dtype (half precision is widened to float32), device and graph. torch is
never imported here: who passes a tensor has done so.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import numpy as np

from infomax.errors import InputError


def is_tensor(value: Any) -> bool:
    """Whether `value` is a torch tensor, without importing torch."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.Tensor)


def namespace(value: Any) -> ModuleType:
    """The module whose functions take `value`: torch for a tensor, else numpy."""
    return sys.modules["torch"] if is_tensor(value) else np


def floating(value: Any, name: str) -> Any:
    """`value` as a float array or tensor. Raises InputError for what holds no real numbers."""
    if is_tensor(value):
        torch = sys.modules["torch"]
        if value.dtype in (torch.float16, torch.bfloat16):
            return value.float()
        if value.is_complex():
            raise InputError(f"{name} must hold real numbers; got {value.dtype}.")
        return value if value.is_floating_point() else value.double()
    if np.ma.is_masked(value):
        raise InputError(f"{name} has masked entries: fill them, or leave them out.")
    try:
        array = np.asarray(value)
    except ValueError:
        raise InputError(f"{name} must be one array; got lists of different lengths.") from None
    if array.dtype.kind not in "biuf":
        raise InputError(f"{name} must hold numbers; got dtype {array.dtype}.")
    return array.astype(np.float64)


def probabilities(value: Any, name: str) -> Any:
    """`value` as floats between 0 and 1, which need not sum to 1.

    Raises:
        InputError: NaN, or a number below 0 or above 1.
    """
    p = floating(value, name)
    _finite(p, name)
    _not_negative(p, name)
    if p.shape != (0,) and number(p.max()) > 1:
        raise InputError(f"{name} must hold probabilities between 0 and 1; the largest is {number(p.max()):g}.")
    return p


def conditional(value: Any, name: str) -> Any:
    """`value` as an (r, c) matrix whose rows are distributions.

    Raises:
        InputError: another shape, NaN, a negative number, a row of another sum.
    """
    p = floating(value, name)
    if len(p.shape) != 2 or 0 in tuple(p.shape):
        raise InputError(f"{name} must be a matrix, one row p(y | x) for each x; got shape {tuple(p.shape)}.")
    _finite(p, name)
    _not_negative(p, name)
    off = abs(p.sum(axis=1) - 1)
    if number(off.max()) > _tolerance(p, value):
        row = int(off.argmax())
        raise InputError(f"each row of {name} must sum to 1; row {row} sums to {number(p[row].sum()):.10g}.")
    return p


def distribution(value: Any, name: str, axes: int | None = None, least_axes: int = 1) -> Any:
    """`value` as an array of probabilities that sum to 1.

    Args:
        name: for the message.
        axes: how many it must have; None asks for `least_axes` or more.

    Raises:
        InputError: another shape, NaN, a negative number, or another sum (beyond the square root of the precision).
    """
    p = floating(value, name)
    shape = tuple(p.shape)
    if 0 in shape or (axes is not None and len(shape) != axes) or len(shape) < least_axes:
        wanted = f"at least {least_axes} axes" if axes is None else f"{axes} axes"
        raise InputError(f"{name} must be an array of {wanted}, none of them empty; got shape {shape}.")
    _finite(p, name)
    _not_negative(p, name)
    total = number(p.sum())
    if abs(total - 1) > _tolerance(p, value):
        raise InputError(
            f"{name} must sum to 1; it sums to {total:.10g}. Divide counts by their sum, or see `entropy_from_counts` and"
            " `mutual_information_from_counts`, which also correct the bias of counting."
        )
    return p


def alike(p: Any, q: Any, names: tuple[str, str]) -> tuple[Any, Any]:
    """Two checked distributions over one alphabet, as tensors of one kind where either is one.

    Raises:
        InputError: as `distribution`, or different shapes.
    """
    p, q = distribution(p, names[0]), distribution(q, names[1])
    if tuple(p.shape) != tuple(q.shape):
        raise InputError(
            f"{names[0]} and {names[1]} must have one shape; got {tuple(p.shape)} and {tuple(q.shape)}: both are over the"
            " same symbols, with zeros where one has none."
        )
    return together(p, q)


def together(*arrays: Any) -> tuple[Any, ...]:
    """The arrays as they are, or all as tensors where one of them is a tensor."""
    tensors = [value for value in arrays if is_tensor(value)]
    if not tensors or len(tensors) == len(arrays):
        return arrays
    return tuple(value if is_tensor(value) else tensors[0].new_tensor(value.tolist()) for value in arrays)


def x_log_y(x: Any, y: Any) -> Any:
    """x log y cell by cell, 0 where x is 0, whatever y; -inf where only y is 0. Gradients at x = 0 are 0.

    y may be smaller than x along an axis: it is then repeated.
    """
    xp = namespace(x)
    live = x > 0
    with np.errstate(divide="ignore"):
        logs = xp.log(xp.where(live, y, 1.0))
    return xp.where(live, x, 0.0) * logs


def number(value: Any) -> float:
    """A float of one entry, off the graph."""
    return float(value.detach() if is_tensor(value) else value)


def answer(value: Any) -> Any:
    """A float for numpy, a tensor without axes for torch."""
    return value if is_tensor(value) else float(value) + 0.0  # no -0.0


def _tolerance(p: Any, value: Any) -> float:
    """The square root of the precision that `value` came in, before it was widened to `p`."""
    known = value.is_floating_point() if is_tensor(value) else isinstance(value, np.ndarray) and value.dtype.kind == "f"
    came = value if known else p
    return float(namespace(came).finfo(came.dtype).eps) ** 0.5


def _finite(p: Any, name: str) -> None:
    if not bool(namespace(p).isfinite(p).all()):
        raise InputError(f"{name} holds NaN or infinity: check where it comes from.")


def _not_negative(p: Any, name: str) -> None:
    if tuple(p.shape) != (0,) and number(p.min()) < 0:
        raise InputError(f"{name} must hold no negative number; the least is {number(p.min()):g}.")
