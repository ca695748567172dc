"""Cross-entropy's keywords: which targets count, and how their losses become one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infomax.errors import InputError


@dataclass(frozen=True)
class Counted:
    """The contexts whose target is not ignored: (n, d), (n,) int64, and which they are, bool, in the targets' shape."""

    hidden: Tensor
    targets: Tensor
    kept: Tensor

    @classmethod
    def of(cls, hidden: Any, targets: Any, width: int, classes: int, ignore_index: int | None) -> Counted:
        """Checks (..., d) contexts and (...) targets from 0 to classes - 1, or `ignore_index`."""
        if not isinstance(hidden, Tensor) or hidden.ndim < 1 or hidden.shape[-1] != width:
            came = tuple(hidden.shape) if isinstance(hidden, Tensor) else type(hidden).__name__
            raise InputError(f"hidden must be a tensor (..., {width}); got {came}.")
        integers = isinstance(targets, Tensor) and not (targets.is_floating_point() or targets.is_complex())
        if not integers or targets.dtype == torch.bool or targets.shape != hidden.shape[:-1]:
            came = f"{targets.dtype} {tuple(targets.shape)}" if isinstance(targets, Tensor) else type(targets).__name__
            raise InputError(f"targets must be an integer tensor {tuple(hidden.shape[:-1])}; got {came}.")
        targets = targets.long()  # in uint8, -100 would be class 156
        kept = torch.ones_like(targets, dtype=torch.bool) if ignore_index is None else targets != ignore_index
        y = targets[kept]
        if not len(y):
            raise InputError("no target is left: all are ignore_index, or there are none.")
        low, high = int(y.min()), int(y.max())
        if low < 0 or high >= classes:
            raise InputError(f"targets must lie from 0 to {classes - 1}; got {low} to {high}.")
        return cls(hidden[kept], y, kept)

    def contexts(self, contexts: Any) -> Tensor:
        """(n, m) what n-gram noise looks back on, of the contexts that count."""
        fits = isinstance(contexts, Tensor) and contexts.ndim == self.kept.ndim + 1 and not contexts.is_floating_point()
        if not fits or contexts.shape[:-1] != self.kept.shape:
            came = tuple(contexts.shape) if isinstance(contexts, Tensor) else type(contexts).__name__
            shape = ", ".join(map(str, self.kept.shape))
            raise InputError(f"this noise needs contexts=, an integer tensor ({shape}, order - 1); got {came}.")
        return contexts[self.kept].long()

    def reduced(self, losses: Tensor, weight: Tensor | None, reduction: str) -> Tensor:
        """The (n,) losses as torch reduces them; "none" has the targets' shape, 0 where ignored."""
        weights = None if weight is None else weight[self.targets].to(losses.dtype)
        if weights is not None:
            losses = losses * weights
        if reduction == "none":
            return losses.new_zeros(self.kept.numel()).masked_scatter(self.kept.flatten(), losses).view(self.kept.shape)
        if reduction == "sum":
            return losses.sum()
        return losses.mean() if weights is None else losses.sum() / weights.sum()


def check_reduction(reduction: Any) -> None:
    """One of torch's three."""
    if reduction not in ("mean", "sum", "none"):
        raise InputError(f"reduction must be 'mean', 'sum' or 'none'; got {reduction!r}.")


def class_weights(weight: Any, classes: int, device: torch.device) -> Tensor | None:
    """(V,) weights of the classes on the device, or None."""
    if weight is None:
        return None
    if not isinstance(weight, Tensor) or weight.shape != (classes,):
        raise InputError(f"weight must be a tensor ({classes},), a number a class.")
    return weight.to(device)
