"""What a step will cost, from measurements that are shorter than a step.

A step encodes its rows and scores all their pairs. Encoding costs as the rows do; in chunks, which are sorted by length, a few
chunks tell the others by interpolation. Scores cost a·n + b·n² in time and, streamed, a·n in memory. Each is measured at
growing n until the time for it is spent, often at the batch's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch.nn.functional import normalize

from infomax.evaluation.vectors import lengths
from infomax.scores import Scores
from infomax.training.encoding import Side, by_length
from infomax.training.gradient_cache import cached_backward
from infomax.training.loop import Task
from infomax.training.metering import Cost, Meter, line, square
from infomax.training.parts import take
from infomax.training.state import State
from infomax.training.validation import Validation


@dataclass(frozen=True)
class Forecast:
    """Of one step: seconds of encoding (the optimizer's among them) and of the scores, the peak in bytes, the vectors' width,
    and the most rows that were measured."""

    encode: float
    scores: float
    peak: int | None
    dim: int
    measured: int


def of_step(task: Task, meter: Meter, rows: int, seconds: float) -> Forecast:
    """Of a step on `rows` rows, like those of the task, in about `seconds` of measuring."""
    chunk = task.settings.chunk
    return (
        _at_once(task, meter, rows, seconds)
        if chunk is None or chunk >= rows
        else _in_chunks(task, meter, rows, seconds)
    )


def of_look(task: Task, meter: Meter, rows: int, seconds: float) -> float:
    """Seconds of a validation on `rows` rows."""
    if rows < 2:
        return 0.0
    settings = task.settings

    def look(n: int) -> None:
        some = take(task.pairs, np.arange(n))
        seen = Validation(some, settings.validation_candidates, normalize=settings.normalize, seed=settings.seed)
        seen(task.learner)

    return line(meter.ladder(min(rows, len(task.pairs)), look, seconds=seconds), rows, _seconds)


def _at_once(task: Task, meter: Meter, rows: int, seconds: float) -> Forecast:
    """From whole steps, as `fit` takes them, at growing numbers of rows."""
    most = min(rows, len(task.pairs))
    order = np.arange(most)
    if (known := lengths(_sides(task)[1].column, order)) is not None:  # a small batch is padded as the whole one is
        order = np.concatenate([[known.argmax()], np.delete(order, known.argmax())])
    steps = meter.ladder(most, lambda n: task.step(State(), order[:n]), seconds=seconds)
    dim, scores = _scores(task, meter, rows, seconds / 2)
    rest = [Cost(cost.rows, max(0.0, cost.seconds - square(scores, cost.rows)), None) for cost in steps]
    peak = None if steps[-1].peak is None else round(line(steps, rows, _peak))
    return Forecast(line(rest, rows, _seconds), square(scores, rows), peak, dim, steps[-1].rows)


def _in_chunks(task: Task, meter: Meter, rows: int, seconds: float) -> Forecast:
    """From a few chunks of either side, from the scores, and from a step of the optimizer."""
    most, size = min(rows, len(task.pairs)), int(task.settings.chunk or rows)
    task.learner.train()
    sides = _sides(task)
    for side in sides:
        _encode(side, by_length(side.column, np.arange(most))[:size])  # from now on there are gradients
    task.optimizer.step()  # and moments
    found = [_chunks(side, meter, most, size, seconds / 2) for side in sides]
    update = meter(1, task.optimizer.step, again=seconds / 12).seconds
    dim, scores = _scores(task, meter, rows, seconds / 3)
    task.optimizer.zero_grad(set_to_none=True)
    encode = sum(whole for whole, _ in found) * rows / most + update
    peak = None
    if scores[-1].peak is not None:
        vectors = 4 * rows * dim * 4  # of both sides, with their gradients, as float32
        peak = max(*(highest + vectors for _, highest in found), round(line(scores, rows, _peak)))
    return Forecast(encode, square(scores, rows), peak, dim, scores[-1].rows)


def _chunks(side: Side, meter: Meter, rows: int, size: int, seconds: float) -> tuple[float, int]:
    """Seconds of all chunks of a side, by interpolation between some of them; and the most bytes that one held."""
    order = by_length(side.column, np.arange(rows))
    full, rest = divmod(rows, size)
    places = np.unique(np.linspace(0, full - 1, 4).round().astype(int))
    again = seconds / 2 / len(places)
    parts = [order[place * size : (place + 1) * size] for place in places]
    costs = [meter(size, partial(_encode, side, part), again=again) for part in parts]
    known = [cost.seconds for cost in costs]
    whole = float(np.interp(np.arange(full), places, known).sum()) + known[-1] * rest / size
    return whole, max(cost.peak or 0 for cost in costs)


def _encode(side: Side, rows: np.ndarray) -> None:
    """One chunk, as a cached step encodes it."""
    cached_backward(lambda vectors: vectors.square().sum(), (side, rows), chunk=len(rows))


def _scores(task: Task, meter: Meter, rows: int, seconds: float) -> tuple[int, list[Cost]]:
    """The vectors' width, and costs of the loss and its gradient at growing numbers of rows."""
    with torch.no_grad():
        one = _sides(task)[0](np.arange(2))
    drawn = torch.randn(2, rows, one.shape[1], dtype=one.dtype, device=one.device)
    drawn = normalize(drawn, dim=-1) if task.settings.normalize else drawn
    ids = torch.arange(rows, device=one.device)

    def score(n: int) -> None:
        vectors = [side[:n].clone().requires_grad_() for side in drawn]
        scores = Scores(*vectors, temperature=task.learner.temperature(), anchor_ids=ids[:n], candidate_ids=ids[:n])
        task.objective(scores).mean().backward()

    return one.shape[1], meter.ladder(rows, score, seconds=seconds)


def _sides(task: Task) -> list[Side]:
    columns = zip(task.learner.sides, (task.pairs.anchors, task.pairs.candidates), strict=True)
    return [Side(encoder, column, normalize=task.settings.normalize) for encoder, column in columns]


def _seconds(cost: Cost) -> float:
    return cost.seconds


def _peak(cost: Cost) -> float:
    return float(cost.peak or 0)
