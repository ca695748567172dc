"""Where a run stands: all that changes from step to step, beside the learner and its optimizers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch


@dataclass
class State:
    """The position of a run.

    Attributes:
        epoch, batch: the next batch to take.
        step: steps taken.
        seconds: of training, over all its sittings.
        history: see `FitResult.history`.
        best: the learner's state at its best validation; None before the first.
        best_merit: how good it was there: the validation bound, or the negative validation loss (nats).
        stale: validations since then.
        dropped: batches left out because all their rows shared an id.
        finished: nothing is left to do.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    history: list[dict[str, float | int]] = field(default_factory=list)
    best: dict[str, torch.Tensor] | None = None
    best_merit: float = float("-inf")
    stale: int = 0
    dropped: int = 0
    finished: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The fields, not copied."""
        return dict(vars(self))
