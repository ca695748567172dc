"""Going on: take a step, log it, validate, keep the best, save, stop. The same for whatever is learned.

Everything that a step depends on is in the work (fixed), in `State` (moving), in the learner, in the optimizer and in
torch's generator, so a checkpoint of these four goes on bit for bit as the run would have.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import isfinite
from time import perf_counter
from typing import Any, Protocol

import torch

from infomax.errors import InfomaxError
from infomax.training.schedule import factor
from infomax.training.state import State

LOGGED = 500  # about how many steps of a run are logged


class Work(Protocol):
    """What is to be learned, and how: `Task` for pairs; language models have theirs.

    Attributes:
        learner: the module that is learned.
        optimizer: each of its groups has a `peak`, the highest of its learning rates.
        settings: with `epochs`, `learning_rate`, `warmup`, `patience` and `validations_per_epoch`.
    """

    @property
    def learner(self) -> Any: ...

    @property
    def optimizer(self) -> torch.optim.Optimizer: ...

    @property
    def settings(self) -> Any: ...

    @property
    def steps(self) -> int:
        """Of the whole run, were no batch dropped and no patience lost."""

    @property
    def steps_per_epoch(self) -> int:
        """Before any is dropped."""

    def batches(self, epoch: int) -> Sequence[Any]:
        """A pure function of the epoch."""

    def step(self, state: State, batch: Any) -> dict[str, float | int]:
        """Take one step; what there is to log of it."""

    def look(self) -> tuple[float, dict[str, float]] | None:
        """How good the learner is on held-out data (higher is better), and what there is to log of that."""


def train(
    work: Any, state: State, *, tell: Callable[[], None], save: Callable[[bool], None], stop: Callable[[], bool]
) -> None:
    """Go on from `state` until it is finished, or `stop()`; after every step come `tell()` and `save(last)`.

    `stop` is asked once a step, before saving: a signal that comes while a step is saved is for the next one, so that
    `last` is true whenever training ends.

    Args:
        work: a `Work`.

    Raises:
        InfomaxError: the loss is no longer finite.
    """
    while not state.finished:
        batches = work.batches(state.epoch)
        for batch in batches[state.batch :]:
            _turn(work, state, batch, len(batches))
            tell()
            last = state.finished or stop()
            save(last)
            if last:
                return
        state.dropped += work.steps_per_epoch - len(batches)
        state.epoch, state.batch = state.epoch + 1, 0
        if state.epoch >= work.settings.epochs:
            state.finished = True
            save(True)


def set_rates(work: Any, state: State) -> float:
    """Put the optimizer's learning rates where the schedule wants them at this step; the share of their peak."""
    share = factor(state.step, work.steps, round(work.settings.warmup * work.steps))
    for group in work.optimizer.param_groups:
        group["lr"] = group["peak"] * share
    return share


def sound(value: float, work: Any, state: State, remedy: str, *, what: str = "loss") -> None:
    """Raises InfomaxError where `value`, the loss or the norm of the gradient, is no longer finite."""
    if not isfinite(value):
        raise InfomaxError(
            f"The {what} became {value} at step {state.step + 1}; lower learning_rate (now {work.settings.learning_rate}) or "
            f"{remedy}. The last checkpoint is kept."
        )


def _turn(work: Any, state: State, batch: Any, batches: int) -> None:
    """One step with all that belongs to it; the state is whole before and after."""
    start = perf_counter()
    entry = work.step(state, batch)
    state.batch, state.step = state.batch + 1, state.step + 1
    due = _validation_due(state.batch, batches, work.settings.validations_per_epoch)
    seen = _validate(work, state) if due else {}
    state.seconds += perf_counter() - start
    if seen or state.step % max(1, work.steps // LOGGED) == 0 or state.step == 1:
        epoch = state.epoch + state.batch / batches
        state.history.append({"step": state.step, "epoch": epoch, "seconds": state.seconds, **entry, **seen})


def _validation_due(batch: int, batches: int, times: int) -> bool:
    """Whether the `batch`-th (1-based) of an epoch's batches ends one of `times` nearly equal parts."""
    return batch * times // batches > (batch - 1) * times // batches


def check_parameters(work: Any, state: State) -> None:
    """Raises InfomaxError where a parameter is no longer finite: the former checkpoint is worth more than this state."""
    for name, tensor in work.learner.named_parameters():
        if not bool(torch.isfinite(tensor).all()):
            raise InfomaxError(
                f"The parameter {name} is no longer finite after step {state.step}; lower learning_rate "
                f"(now {work.settings.learning_rate}). The last checkpoint is kept."
            )


def _validate(work: Any, state: State) -> dict[str, float]:
    """Measure, keep the best so far, and give up when patience is lost."""
    check_parameters(work, state)
    found = work.look()
    if found is None:
        return {}
    merit, seen = found
    if not isfinite(seen["validation_loss"]):
        raise InfomaxError(
            f"The validation loss became {seen['validation_loss']} at step {state.step}; lower learning_rate "
            f"(now {work.settings.learning_rate}). The last checkpoint is kept."
        )
    if merit > state.best_merit:
        state.best_merit, state.stale = merit, 0
        state.best = {name: tensor.detach().clone() for name, tensor in work.learner.state_dict().items()}
    else:
        state.stale += 1
    state.finished = work.settings.patience is not None and state.stale >= work.settings.patience
    return seen
