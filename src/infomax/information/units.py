"""Nats, unless another base of the logarithm is asked for."""

from __future__ import annotations

from math import isfinite, log
from numbers import Real
from typing import Any

from infomax.errors import InputError


def in_base(nats: Any, base: Any) -> Any:
    """`nats` in units of log(base): base 2 gives bits; None leaves nats.

    Raises:
        InputError: a base that is no base of a logarithm.
    """
    if base is None:
        return nats
    if not isinstance(base, Real) or isinstance(base, bool) or not (isfinite(base) and float(base) > 0 and base != 1):
        raise InputError(f"base must be a positive number other than 1, such as 2 for bits, or None; got {base!r}.")
    return nats / log(float(base))
