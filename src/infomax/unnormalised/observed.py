"""Observations and what a model says of them, checked once at the door."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from infomax.errors import InputError


def kind_of(model: nn.Module) -> tuple[torch.dtype, torch.device]:
    """Number type and device of a model's parameters; float64 on the CPU for a model that has none."""
    first = next((p for p in model.parameters() if p.is_floating_point()), None)
    return (torch.float64, torch.device("cpu")) if first is None else (first.dtype, first.device)


def observations(x: Any, event_shape: tuple[int, ...], model: nn.Module, name: str = "x") -> Tensor:
    """(n, *event) finite observations in the model's number type, on its device.

    Raises:
        InputError: another shape than the noise's, no rows, or values that are not finite.
    """
    dtype, device = kind_of(model)
    try:
        values = torch.as_tensor(x)
    except (TypeError, ValueError, RuntimeError):
        raise InputError(f"{name} must be an array or tensor of numbers; got {type(x).__name__}.") from None
    values = values.detach().to(device, dtype)
    if values.ndim == 0 or tuple(values.shape[1:]) != event_shape:
        wanted = ", ".join(map(str, ("n", *event_shape)))
        raise InputError(
            f"{name} must have the shape ({wanted}), since the noise draws observations of shape {event_shape}; "
            f"got {tuple(values.shape)}."
        )
    if not len(values):
        raise InputError(f"{name} has no rows: give observations.")
    bad = int((~torch.isfinite(values.reshape(len(values), -1)).all(1)).sum())
    if bad:
        raise InputError(f"{bad} of {len(values)} rows of {name} hold NaN or infinity: drop or fill them first.")
    return values


def rows_of(x: Any, name: str) -> np.ndarray:
    """(n, *event) finite float64 array.

    Raises:
        InputError: no numbers, no rows, or values that are not finite.
    """
    try:
        values = np.asarray(x.detach().cpu() if isinstance(x, Tensor) else x, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be an array or tensor of numbers; got {type(x).__name__}.") from None
    if values.ndim == 0:
        raise InputError(f"{name} must hold rows, (n, *event); got a single number.")
    if not np.isfinite(values).all():
        raise InputError(f"{name} holds NaN or infinity: drop or fill those rows first.")
    return values


def log_model(model: Any, x: Tensor) -> Tensor:
    """(n,) log p̃ of each observation, its shape checked.

    Raises:
        InputError: another shape.
    """
    values = model(x)
    if not isinstance(values, Tensor) or values.shape != (len(x),):
        came = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
        raise InputError(f"the model must give a log-density for each observation, shape ({len(x)},); got {came}.")
    return values


def log_ratio(model: Any, noise: Any, x: Tensor, where: str) -> Tensor:
    """(n,) log p̃ - log q in float64, without gradient, finite.

    Raises:
        InputError: noise without density, or a model without a finite value, at an observation.
    """
    with torch.no_grad():
        log_p, log_q = log_model(model, x).double(), noise.log_prob(x).double()
    for values, who in ((log_q, "noise"), (log_p, "model")):
        bad = int((~torch.isfinite(values)).sum())
        if bad:
            remedy = (
                "wider noise is needed" if who == "noise" else "a model has to be finite wherever noise or data live"
            )
            raise InputError(f"the {who}'s log-density is not finite at {bad} of {len(x)} {where}: {remedy}.")
    return log_p - log_q


def generator(rng: Any) -> torch.Generator:
    """The generator, or a fresh one of seed 0."""
    if rng is None:
        return torch.Generator().manual_seed(0)
    if not isinstance(rng, torch.Generator):
        raise InputError(f"rng must be a torch.Generator; got {type(rng).__name__}.")
    return rng
