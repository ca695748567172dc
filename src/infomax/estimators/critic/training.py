"""Training by logistic NCE: tell true pairs from chance pairs, whose log odds at the optimum is the log density ratio.

A batch is cut into groups of 1 + K rows; within its group each x meets its own y and K others, a chance pair each. The
loss of a score f is log(1 + K e^-f) at a true pair plus log(1 + e^f / K) at a chance pair; its mean is smallest at
f = log p(x, y) / p(x) p(y) itself, without the free term in x that InfoNCE leaves, so that f needs no normaliser
(Gutmann & Hyvärinen 2012).

The weights that count are a running mean over the steps. Every so often they are judged on the choice rows, and each
fold keeps its best, step 0 (the baseline alone) included.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from infomax.estimators.critic.network import Baseline, Batched, Critics

CHECK_EVERY = 40  # steps
PATIENCE = 4  # checks without progress in any fold
PROGRESS = 5e-4  # nats by which a check has to be better, to count
WARM_UP = 50  # steps
MEMORY = 0.98  # of the running mean of weights, a step


@dataclass(frozen=True)
class Schedule:
    """How long and how fast.

    Attributes:
        steps: at most.
        batch: rows a step and fold.
        negatives: chance pairs a row.
        learning_rate: the highest, after the warm-up; it falls along a cosine.
        weight_decay: of AdamW.
    """

    steps: int
    batch: int
    negatives: int
    learning_rate: float
    weight_decay: float

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return self.learning_rate * min(1.0, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / self.steps))


def train(
    critics: Critics, baseline: Baseline, fit: Batched, choose: Batched, schedule: Schedule, rng: torch.Generator
) -> Tensor:
    """Fits the critics in place; (folds,) the step whose weights each fold keeps."""
    mean = Critics(critics.weights.clone(), critics.sizes)
    best, least = mean.weights.clone(), _choice_loss(mean, baseline, choose, schedule.negatives)
    kept, stale = torch.zeros(len(best), dtype=torch.int64), 0
    descent, batches = AdamW(critics.weights, schedule.weight_decay), _batches(fit, schedule, rng)
    for step in range(1, schedule.steps + 1):
        _loss(critics, baseline, next(batches), schedule.negatives).sum().backward()
        descent.step(critics.gradient(), schedule.rate(step - 1))
        mean.weights.lerp_(critics.weights, max(1 - MEMORY, 1 / step))
        if step % CHECK_EVERY == 0:
            loss = _choice_loss(mean, baseline, choose, schedule.negatives)
            better, progress = loss < least, bool((loss < least - PROGRESS).any())
            least, kept = torch.where(better, loss, least), torch.where(better, step, kept)
            best[better] = mean.weights[better]
            stale = 0 if progress else stale + 1
            if stale == PATIENCE:
                break
    critics.weights.copy_(best)
    return kept


class AdamW:
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019) on one tensor, in place.

    torch's own brings its compiler along when it is first made, which takes seconds.
    """

    def __init__(self, weights: Tensor, decay: float, betas: tuple[float, float] = (0.9, 0.99)) -> None:
        self.weights, self.decay, self.betas = weights, decay, betas
        self.first, self.second, self.steps = torch.zeros_like(weights), torch.zeros_like(weights), 0

    def step(self, gradient: Tensor, rate: float) -> None:
        """One step down the gradient."""
        self.steps += 1
        slow, slower = self.betas
        self.first.lerp_(gradient, 1 - slow)
        self.second.mul_(slower).addcmul_(gradient, gradient, value=1 - slower)
        size = (self.second / (1 - slower**self.steps)).sqrt_().add_(1e-8)
        self.weights.mul_(1 - rate * self.decay).addcdiv_(self.first, size, value=-rate / (1 - slow**self.steps))


def logistic_nce(scores: Tensor) -> Tensor:
    """(folds,) mean loss a row of scores (folds, groups, 1 + K, 1 + K), the true pairs of each group on its diagonal.

    >>> round(float(logistic_nce(torch.zeros(1, 4, 9, 9))[0]), 4)  # log 9 + 8 log(9 / 8)
    3.1395
    """
    shifted = scores - math.log(scores.shape[-1] - 1)
    true = shifted.diagonal(dim1=-2, dim2=-1)
    rows = scores.shape[1] * scores.shape[2]
    return (softplus(shifted).sum((1, 2, 3)) - true.sum((1, 2))) / rows  # softplus(-z) = softplus(z) - z


def group_scores(critics: Critics, baseline: Baseline, rows: Batched, size: int) -> Tensor:
    """(folds, groups, size, size) scores of each x with each y of its group; rows that fill no group are left out."""
    groups = len(rows) // size

    def grouped(values: Tensor) -> Tensor:
        return values[:, : groups * size].unflatten(1, (groups, size))

    a, b = (grouped(side) for side in critics.sides(rows.x, rows.y))
    joined = a[:, :, :, None] + b[:, :, None]
    corrections = critics.of_pairs(joined.flatten(1, 3)).unflatten(1, joined.shape[1:4])
    return corrections + baseline.table(grouped(rows.u), grouped(rows.v))


def _loss(critics: Critics, baseline: Baseline, rows: Batched, negatives: int) -> Tensor:
    return logistic_nce(group_scores(critics, baseline, rows, min(negatives + 1, len(rows))))


@torch.no_grad()
def _choice_loss(critics: Critics, baseline: Baseline, choose: Batched, negatives: int) -> Tensor:
    """(folds,) loss on the choice rows, the same pairs each time."""
    return _loss(critics, baseline, choose, negatives)


def _batches(fit: Batched, schedule: Schedule, rng: torch.Generator) -> Iterator[Batched]:
    """Endless batches; each row of a fold once an epoch, in an order of the fold's own."""
    folds, m = fit.x.shape[:2]
    size = min(max(schedule.batch, schedule.negatives + 1), m)
    while True:
        order = torch.stack([torch.randperm(m, generator=rng) for _ in range(folds)])
        for start in range(0, m - size + 1, size):
            yield fit.take(order[:, start : start + size])
