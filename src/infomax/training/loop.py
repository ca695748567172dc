"""Learning from pairs: encode a batch, score all its pairs, take a step; validate now and then.

Everything that a step depends on is in `Task` (fixed), in `State` (moving), in the learner, in the optimizer and in
torch's generator, so a checkpoint of these four goes on bit for bit as the run would have.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.functional import normalize as unit

from infomax.data.pairs import Pairs
from infomax.errors import InputError
from infomax.scores import Scores, gather
from infomax.training.batches import epoch_batches, mean_log_candidates, steps_per_epoch
from infomax.training.encoding import Side, learn_from
from infomax.training.going import set_rates, sound
from infomax.training.learner import Learner
from infomax.training.processes import average_gradients, from_first, own_part, spread_buffers
from infomax.training.settings import Settings
from infomax.training.state import State
from infomax.training.validation import Validation


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
        return self.settings.epochs * self.steps_per_epoch

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch, before any is dropped."""
        return steps_per_epoch(len(self.pairs), self.settings.batch_size)

    def batches(self, epoch: int) -> Sequence[np.ndarray]:
        """Row numbers of each batch of an epoch."""
        return epoch_batches(self.pairs.ids, self.settings.batch_size, self.settings.seed, epoch)

    def step(self, state: State, batch: Any) -> dict[str, float | int]:
        """Take one step on a batch; what there is to log of it."""
        return _step(self, state, batch)

    def look(self) -> tuple[float, dict[str, float]] | None:
        """The validation bound (nats), and all there is to log of the validation; None where there is none."""
        if self.validation is None:
            return None
        spread_buffers(self.learner)
        found = self.validation(self.learner)
        seen = from_first(lambda: found)  # all must come to the same decision
        return seen["validation_bound"], seen


def _step(task: Task, state: State, rows: np.ndarray) -> dict[str, float | int]:
    settings, learner = task.settings, task.learner
    rate = set_rates(task, state)
    learner.train()
    task.optimizer.zero_grad(set_to_none=True)
    value, temperature = 0.0, float(learner.temperature().detach())

    def loss(anchors: torch.Tensor, candidates: torch.Tensor) -> torch.Tensor:
        nonlocal value
        whole = gather(anchors), gather(candidates)  # of several processes, each has encoded its part
        losses = [_mean_loss(task.objective, scores) for scores in _scores(task, rows, *whole)]
        value = float(losses[0].detach())
        sound(value, task, state, f"raise temperature (now {temperature:.3g}), and look for non-finite inputs")
        return torch.stack(losses).mean() if len(losses) > 1 else losses[0]

    columns = (task.pairs.anchors, task.pairs.candidates)
    given = zip(learner.sides, columns, strict=True)
    learn_from(loss, [Side(*side, normalize=settings.normalize) for side in given], own_part(rows), settings.chunk)
    average_gradients(learner.parameters())
    task.optimizer.step()
    learner.temperature.clamp()
    score = {"score": mean_log_candidates(task.pairs.ids[rows]) - value} if task.reads_as_score else {}
    return {"loss": value, **score, "temperature": temperature, "learning_rate": settings.learning_rate * rate}


def _mean_loss(objective: Callable[[Scores], torch.Tensor], scores: Scores) -> torch.Tensor:
    losses = objective(scores)
    if not isinstance(losses, torch.Tensor) or not losses.is_floating_point() or losses.ndim > 1:
        came = f"{losses.dtype} {tuple(losses.shape)}" if isinstance(losses, torch.Tensor) else type(losses).__name__
        raise InputError(f"objective must give a tensor of losses, (N,) or their mean; got {came}.")
    return losses.mean()


def _scores(task: Task, rows: np.ndarray, anchors: torch.Tensor, candidates: torch.Tensor) -> Iterator[Scores]:
    """The scores of a batch: by whole vectors, then by each of the prefixes that are trained along."""
    ids = torch.as_tensor(task.pairs.ids[rows], device=anchors.device)
    if max(task.settings.prefixes, default=0) > anchors.shape[1]:
        raise InputError(
            f"prefixes must be at most {anchors.shape[1]}, the vectors' size, got {task.settings.prefixes}."
        )
    for width in (anchors.shape[1], *task.settings.prefixes):
        heads = [anchors[:, :width], candidates[:, :width]]
        if task.settings.normalize and width < anchors.shape[1]:
            heads = [unit(head, dim=1) for head in heads]
        yield Scores(*heads, temperature=task.learner.temperature(), anchor_ids=ids, candidate_ids=ids).shared()
