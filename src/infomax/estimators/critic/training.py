"""Training by logistic NCE: tell true pairs from chance pairs, whose log odds at the optimum is the log density ratio.

A batch pairs each x with its own y and with those of the next K rows, a chance pair each. The loss of a score f is
log(1 + K e^-f) at the true pair plus log(1 + e^f / K) at each chance pair; it is smallest at f = log p(x, y) / p(x) p(y)
itself, without the free term in x that InfoNCE leaves, so that f needs no normaliser (Gutmann & Hyvärinen 2012).

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
PATIENCE = 5  # checks without a better one, in any fold
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


@dataclass(frozen=True)
class Widths:
    """Of the layers: the side networks' hidden layer and code, and the two layers that see pairs."""

    hidden: int
    code: int
    pairs: int


def train(
    critics: Critics, baseline: Baseline, fit: Batched, choose: Batched, schedule: Schedule, rng: torch.Generator
) -> Tensor:
    """Fits the critics in place; (folds,) the step whose weights each fold keeps."""
    parameters = list(critics.parameters())
    optimizer = torch.optim.AdamW(
        parameters, schedule.learning_rate, betas=(0.9, 0.99), weight_decay=schedule.weight_decay, fused=True
    )
    mean = [p.detach().clone() for p in parameters]
    kept = _Kept(mean, _choice_loss(critics, baseline, choose, schedule))
    batches = _batches(fit, schedule, rng)
    for step in range(schedule.steps):
        optimizer.param_groups[0]["lr"] = schedule.learning_rate * _pace(step, schedule.steps)
        loss = _loss(critics, baseline, next(batches), schedule.negatives).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        memory = min(MEMORY, 1 - 1 / (step + 1))
        torch._foreach_lerp_(mean, [p.detach() for p in parameters], 1 - memory)
        if (step + 1) % CHECK_EVERY == 0:
            live = [p.detach().clone() for p in parameters]
            _load(parameters, mean)
            kept.compare(step + 1, mean, _choice_loss(critics, baseline, choose, schedule))
            _load(parameters, live)
            if kept.stale >= PATIENCE:
                break
    _load(parameters, kept.weights)
    return kept.step


class _Kept:
    """The best weights of each fold so far."""

    def __init__(self, weights: list[Tensor], loss: Tensor) -> None:
        self.weights = [w.clone() for w in weights]
        self.loss = loss
        self.step = torch.zeros(len(loss), dtype=torch.int64)
        self.stale = 0

    def compare(self, step: int, weights: list[Tensor], loss: Tensor) -> None:
        better = loss < self.loss
        self.loss = torch.where(better, loss, self.loss)
        self.step[better] = step
        for kept, new in zip(self.weights, weights, strict=True):
            kept[better] = new[better]
        self.stale = 0 if bool(better.any()) else self.stale + 1


def logistic_nce(scores: Tensor) -> Tensor:
    """(folds,) loss of scores (folds, 1 + K, m): true pairs first, then K chance pairs a row.

    >>> round(float(logistic_nce(torch.zeros(1, 9, 4))), 4)  # log 9 + 8 log(9 / 8)
    3.1395
    """
    log_k = math.log(scores.shape[1] - 1)
    return (softplus(log_k - scores[:, 0]) + softplus(scores[:, 1:] - log_k).sum(1)).mean(-1)


def rolled_scores(critics: Critics, baseline: Baseline, rows: Batched, negatives: int) -> Tensor:
    """(folds, 1 + K, m) scores of each x with its own y, then with the y of the next K rows, in a circle."""
    m = len(rows)
    a, b = critics.sides(rows.x, rows.y)
    circle = torch.cat([b, b[:, :negatives]], 1)
    joined = torch.cat([a + circle[:, shift : shift + m] for shift in range(negatives + 1)], 1)
    corrections = critics.of_pairs(joined).view(len(a), negatives + 1, m)
    row = torch.arange(m)
    column = (row + torch.arange(negatives + 1)[:, None]) % m
    return corrections + baseline.table(rows.u, rows.v)[:, row, column]


def _loss(critics: Critics, baseline: Baseline, rows: Batched, negatives: int) -> Tensor:
    return logistic_nce(rolled_scores(critics, baseline, rows, negatives))


@torch.no_grad()
def _choice_loss(critics: Critics, baseline: Baseline, choose: Batched, schedule: Schedule) -> Tensor:
    """(folds,) loss on the choice rows, in blocks of about a batch; the same pairs each time."""
    blocks = torch.arange(len(choose)).chunk(max(1, round(len(choose) / schedule.batch)))
    total = torch.zeros(len(choose.x))
    for block in blocks:
        rows = choose.take(block.expand(len(choose.x), -1))
        total += len(block) * _loss(critics, baseline, rows, min(schedule.negatives, len(block) - 1))
    return total / len(choose)


def _batches(fit: Batched, schedule: Schedule, rng: torch.Generator) -> Iterator[Batched]:
    """Endless batches; each row of a fold once an epoch, in an order of the fold's own."""
    folds, m = fit.x.shape[:2]
    size = min(schedule.batch, m)
    while True:
        order = torch.stack([torch.randperm(m, generator=rng) for _ in range(folds)])
        for start in range(0, m - size + 1, size):
            yield fit.take(order[:, start : start + size])


def _pace(step: int, steps: int) -> float:
    return min(1.0, (step + 1) / WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / steps))


@torch.no_grad()
def _load(parameters: list[torch.nn.Parameter], weights: list[Tensor]) -> None:
    for p, w in zip(parameters, weights, strict=True):
        p.copy_(w)
