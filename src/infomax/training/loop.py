"""The loop: encode a batch, score all its pairs, take a step; validate, log, save, stop.

Everything that a step depends on is in `Task` (fixed), in `State` (moving), in the learner, in the optimizer and in
torch's generator, so a checkpoint of these four goes on bit for bit as the run would have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch.nn.functional import normalize as unit

from infomax.data.pairs import Pairs
from infomax.errors import InfomaxError, InputError
from infomax.evaluation.vectors import encode_rows, prepared
from infomax.scores import Scores
from infomax.training.batches import epoch_batches, mean_log_candidates, steps_per_epoch
from infomax.training.learner import Learner
from infomax.training.schedule import factor
from infomax.training.settings import Settings
from infomax.training.state import State
from infomax.training.validation import Validation

LOGGED = 500  # about how many steps of a run are logged


@dataclass(frozen=True)
class Task:
    """What is fixed in a run.

    Attributes:
        learner, optimizer: changed in place by `train`.
        objective: Scores -> (N,) losses.
        pairs: to learn from.
        validation: None trains to the end without looking.
        settings: see `Settings`.
        reads_as_score: whether ceiling - loss of a batch means something (InfoNCE). It is no bound: the batch is learned
            from, and false negatives are masked.
    """

    learner: Learner
    optimizer: torch.optim.Optimizer
    objective: Callable[[Scores], torch.Tensor]
    pairs: Pairs
    validation: Validation | None
    settings: Settings
    reads_as_score: bool

    @property
    def steps(self) -> int:
        """Steps of the whole run, were no batch dropped and no patience lost."""
        return self.settings.epochs * steps_per_epoch(len(self.pairs), self.settings.batch_size)


def train(
    task: Task, state: State, *, tell: Callable[[], None], save: Callable[[bool], None], stop: Callable[[], bool]
) -> None:
    """Go on from `state` until it is finished, or `stop()`; after every step come `tell()` and `save(last)`.

    `stop` is asked once a step, before saving: a signal that comes while a step is saved is for the next one, so that
    `last` is true whenever training ends.

    Raises:
        InfomaxError: the loss is no longer finite.
    """
    settings, batch_size = task.settings, task.settings.batch_size
    while not state.finished:
        batches = epoch_batches(task.pairs.ids, batch_size, settings.seed, state.epoch)
        for rows in batches[state.batch :]:
            _turn(task, state, rows, len(batches))
            tell()
            last = state.finished or stop()
            save(last)
            if last:
                return
        state.dropped += steps_per_epoch(len(task.pairs), batch_size) - len(batches)
        state.epoch, state.batch = state.epoch + 1, 0
        if state.epoch >= settings.epochs:
            state.finished = True
            save(True)


def _turn(task: Task, state: State, rows: np.ndarray, batches: int) -> None:
    """One step with all that belongs to it; the state is whole before and after."""
    start = perf_counter()
    entry = _step(task, state, rows)
    state.batch, state.step = state.batch + 1, state.step + 1
    due = _validation_due(state.batch, batches, task.settings.validations_per_epoch)
    seen = _validate(task, state) if task.validation is not None and due else {}
    state.seconds += perf_counter() - start
    if seen or state.step % max(1, task.steps // LOGGED) == 0 or state.step == 1:
        epoch = state.epoch + state.batch / batches
        state.history.append({"step": state.step, "epoch": epoch, "seconds": state.seconds, **entry, **seen})


def _step(task: Task, state: State, rows: np.ndarray) -> dict[str, float | int]:
    settings, learner = task.settings, task.learner
    scale = factor(state.step, task.steps, round(settings.warmup * task.steps))
    for group in task.optimizer.param_groups:
        group["lr"] = group["peak"] * scale
    learner.train()
    task.optimizer.zero_grad(set_to_none=True)
    losses = [task.objective(scores).mean() for scores in _scores(task, rows)]
    value, temperature = float(losses[0].detach()), float(learner.temperature().detach())
    if not isfinite(value):
        raise InfomaxError(
            f"The loss became {value} at step {state.step + 1}; lower learning_rate (now {settings.learning_rate}) or "
            f"raise temperature (now {temperature:.3g}), and look for non-finite inputs. The last checkpoint is kept."
        )
    (torch.stack(losses).mean() if len(losses) > 1 else losses[0]).backward()
    task.optimizer.step()
    learner.temperature.clamp()
    score = {"score": mean_log_candidates(task.pairs.ids[rows]) - value} if task.reads_as_score else {}
    return {"loss": value, **score, "temperature": temperature, "learning_rate": settings.learning_rate * scale}


def _scores(task: Task, rows: np.ndarray) -> Iterator[Scores]:
    """The scores of a batch: by whole vectors, then by each of the prefixes that are trained along."""
    a, c = task.learner.sides
    normalize = task.settings.normalize
    anchors = encode_rows(a, prepared(a, task.pairs.anchors), rows, normalize=normalize)
    candidates = encode_rows(c, prepared(c, task.pairs.candidates), rows, normalize=normalize)
    ids = torch.as_tensor(task.pairs.ids[rows], device=anchors.device)
    if max(task.settings.prefixes, default=0) > anchors.shape[1]:
        raise InputError(
            f"prefixes must be at most {anchors.shape[1]}, the vectors' size, got {task.settings.prefixes}."
        )
    for width in (anchors.shape[1], *task.settings.prefixes):
        heads = [anchors[:, :width], candidates[:, :width]]
        if normalize and width < anchors.shape[1]:
            heads = [unit(head, dim=1) for head in heads]
        yield Scores(*heads, temperature=task.learner.temperature(), anchor_ids=ids, candidate_ids=ids)


def _validation_due(batch: int, batches: int, times: int) -> bool:
    """Whether the `batch`-th (1-based) of an epoch's batches ends one of `times` nearly equal parts."""
    return batch * times // batches > (batch - 1) * times // batches


def _validate(task: Task, state: State) -> dict[str, Any]:
    """Measure, keep the best so far, and give up when patience is lost."""
    assert task.validation is not None
    seen = task.validation(task.learner)
    if not isfinite(seen["validation_loss"]):
        raise InfomaxError(
            f"The validation loss became {seen['validation_loss']} at step {state.step}; lower learning_rate "
            f"(now {task.settings.learning_rate}). The last checkpoint is kept."
        )
    if seen["validation_bound"] > state.best_bound:
        state.best_bound, state.stale = seen["validation_bound"], 0
        state.best = {name: tensor.detach().clone() for name, tensor in task.learner.state_dict().items()}
    else:
        state.stale += 1
    state.finished = task.settings.patience is not None and state.stale >= task.settings.patience
    return seen
