"""What may go into a score matrix; each refusal says what was expected, what came, and what to do."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from math import isfinite
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infomax.errors import InputError

FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def embeddings(anchors: Any, candidates: Any, least: int = 1) -> None:
    """Two float matrices of one width, dtype and device, with at least so many anchors."""
    for name, value in (("anchors", anchors), ("candidates", candidates)):
        if not isinstance(value, Tensor):
            raise InputError(
                f"{name} must be a torch tensor, not {type(value).__name__}: wrap it with torch.as_tensor."
            )
        if value.ndim != 2:
            raise InputError(f"{name} must be a matrix, one row an item; got shape {tuple(value.shape)}.")
        if value.dtype not in FLOATS:
            raise InputError(f"{name} must be floating point, not {value.dtype}: convert with .float().")
    if anchors.shape[1] != candidates.shape[1] or not anchors.shape[1]:
        raise InputError(
            f"anchors and candidates must have one width of at least 1; got {anchors.shape[1]} and {candidates.shape[1]}."
        )
    if anchors.dtype != candidates.dtype or anchors.device != candidates.device:
        raise InputError(
            f"anchors are {anchors.dtype} on {anchors.device}, candidates {candidates.dtype} on {candidates.device}: "
            "bring both to one dtype and device."
        )
    if len(anchors) < least:
        raise InputError("there are no anchors: give at least one row.")


def offset(value: Any, name: str, length: int, device: torch.device) -> Tensor | None:
    """A floating point vector with one entry a row (or a column); None stays None."""
    return None if value is None else vector(value, name, length, device, integer=False)


def vector(value: Any, name: str, length: int, device: torch.device, integer: bool) -> Tensor:
    """A vector with one entry a row (or a column)."""
    kind, remedy = ("int64", "np.unique(names, return_inverse=True)[1]") if integer else ("floating point", "numbers")
    if not isinstance(value, Tensor):
        try:
            value = torch.as_tensor(value, device=device)
        except (TypeError, ValueError, RuntimeError) as error:
            raise InputError(
                f"{name} must be {kind}, one entry a row; {type(value).__name__} is not ({error}): give {remedy}."
            ) from error
    if value.is_floating_point() == integer or value.dtype in (torch.bool, torch.complex64, torch.complex128):
        raise InputError(f"{name} must be {kind}, not {value.dtype}.")
    if value.shape != (length,):
        raise InputError(f"{name} must have shape ({length},); got {tuple(value.shape)}.")
    if value.device != device:
        raise InputError(f"{name} is on {value.device}, the embeddings on {device}: move it there.")
    return value.long() if integer else value


def temperature(value: Any, dtype: torch.dtype) -> float:
    """The value of a temperature, positive, and neither too small nor too large for the dtype."""
    if isinstance(value, Tensor) and value.numel() != 1:
        raise InputError(f"temperature must be one number; got a tensor of shape {tuple(value.shape)}.")
    if not isinstance(value, Tensor | float | int | np.number) or (isinstance(value, Tensor) and value.is_complex()):
        what = str(value.dtype) if isinstance(value, Tensor) else type(value).__name__
        raise InputError(f"temperature must be a real number or a tensor of one entry, not {what}.")
    number = float(value.detach() if isinstance(value, Tensor) else value)
    info = torch.finfo(dtype)
    if not (isfinite(number) and number > 0):
        raise InputError(f"temperature must be positive and finite; got {number:g}: 0.05 to 0.1 suits unit vectors.")
    if not info.tiny * 4 < 1 / number < info.max / 4:
        raise InputError(f"temperature {number:g} leaves the range of {dtype}: use a value nearer 1, or float64.")
    return number


def largest_norm(x: Tensor, name: str) -> float:
    """The largest row norm; 0 for no rows. Refuses NaN and infinity, naming the first such row."""
    if not x.numel():
        return 0.0
    norms = torch.linalg.vector_norm(x.detach(), dim=-1, dtype=wide(x.dtype))
    largest = float(norms.max())
    if isfinite(largest):
        return largest
    bad = (~torch.isfinite(x.detach()).flatten(1).all(1)).nonzero()
    if len(bad):
        raise InputError(
            f"{name} row {int(bad[0])} holds NaN or infinity: check the encoder's output and the learning rate."
        )
    raise InputError(f"{name} overflow {x.dtype} when squared: normalise the rows, or use a wider dtype.")


def largest_entry(x: Tensor | None, name: str) -> float:
    """The largest absolute entry; 0 for None. Refuses NaN and infinity."""
    if x is None or not x.numel():
        return 0.0
    largest = float(x.detach().abs().max())
    if not isfinite(largest):
        raise InputError(f"{name} holds NaN or infinity: check where it comes from.")
    return largest


def no_autocast(device: torch.device) -> AbstractContextManager[Any]:
    """Autocast off where it is on; where it is not, the switch alone would cost as much as a small product."""
    on = torch.is_autocast_enabled(device.type)
    return torch.autocast(device.type, enabled=False) if on else nullcontext()


def wide(dtype: torch.dtype) -> torch.dtype:
    """The dtype sums are kept in: float32 for the half precisions."""
    return torch.float32 if dtype in (torch.float16, torch.bfloat16) else dtype


def paired(negatives: Any, anchors: Tensor) -> Tensor | None:
    """Negatives of their own row, (N, K, d)."""
    if negatives is None:
        return None
    n, d = anchors.shape
    if not isinstance(negatives, Tensor) or negatives.ndim != 3 or negatives.shape[0] != n or negatives.shape[2] != d:
        came = tuple(negatives.shape) if isinstance(negatives, Tensor) else type(negatives).__name__
        raise InputError(f"negatives must be a tensor of shape ({n}, K, {d}), K a row; got {came}.")
    return _alike(negatives, anchors, "negatives") if negatives.shape[1] else None


def paired_offset(value: Any, negatives: Any, device: torch.device) -> Tensor | None:
    """One number for each negative of its own row, (N, K)."""
    if value is None:
        return None
    value = torch.as_tensor(value, device=device)
    wanted = tuple(negatives.shape[:2]) if isinstance(negatives, Tensor) else None
    if wanted is None or tuple(value.shape) != wanted or not value.is_floating_point():
        raise InputError(
            f"negative_offset must be floating point with one entry for each of the row's own negatives, "
            f"{wanted or '(N, K)'}; got {value.dtype} {tuple(value.shape)}{'' if wanted else ' and no negatives'}."
        )
    return value if value.shape[1] else None


def own_positives(positives: Tensor, anchors: Tensor) -> Tensor:
    """A positive vector a row, (N, d)."""
    if positives.shape != anchors.shape:
        raise InputError(
            f"positives given as vectors must have shape {tuple(anchors.shape)}; got {tuple(positives.shape)}."
        )
    return _alike(positives, anchors, "positives")


def _alike(value: Tensor, anchors: Tensor, name: str) -> Tensor:
    if value.dtype != anchors.dtype or value.device != anchors.device:
        raise InputError(
            f"{name} are {value.dtype} on {value.device}, anchors {anchors.dtype} on {anchors.device}: "
            "bring both to one dtype and device."
        )
    return value


def matrix(value: Any) -> None:
    """A float matrix of scores, no entry NaN or +inf."""
    if not isinstance(value, Tensor) or value.ndim != 2 or value.dtype not in FLOATS or not value.numel():
        came = f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise InputError(f"a score matrix must be a floating point tensor (N, M), both at least 1; got {came}.")
    if bool(torch.isnan(value).any()) or bool(torch.isposinf(value).any()):
        raise InputError("the score matrix holds NaN or +inf: check the critic's output.")


def is_finite(value: Any) -> bool:
    """Whether it is a finite real number."""
    return isinstance(value, Real) and isfinite(value)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number, of Python or of numpy."""
    return isinstance(value, Integral)


def one_of(name: str, value: Any, allowed: tuple[str, ...]) -> None:
    """A word from a list."""
    if value not in allowed:
        raise InputError(f"{name} must be one of {', '.join(map(repr, allowed))}; got {value!r}.")
