"""Checks of class ids and counts."""

from __future__ import annotations

from operator import index
from typing import Any

from torch import Tensor

from infomax.errors import InputError


def class_count(value: Any) -> int:
    """A positive integer."""
    return _positive_integer(value, "the number of classes")


def draw_count(k: Any) -> int:
    """A positive integer: without noise there is nothing to tell data from."""
    return _positive_integer(k, "k, the number of noise draws,")


def order_count(order: Any) -> int:
    """A positive integer."""
    return _positive_integer(order, "order, the length of the n-grams,")


def _positive_integer(value: Any, what: str) -> int:
    try:
        count = index(value)
    except TypeError:
        count = 0
    if count < 1:
        raise InputError(f"{what} must be a positive integer; got {value!r}.")
    return count


def class_ids(ids: Any, classes: int) -> Tensor:
    """int64, each from 0 to classes - 1."""
    if not isinstance(ids, Tensor) or ids.is_floating_point() or ids.is_complex():
        raise InputError(f"class ids must be an integer tensor; got {getattr(ids, 'dtype', type(ids).__name__)}.")
    if ids.numel() and not (0 <= int(ids.min()) and int(ids.max()) < classes):
        raise InputError(f"class ids must lie from 0 to {classes - 1}; got {int(ids.min())} to {int(ids.max())}.")
    return ids.long()
