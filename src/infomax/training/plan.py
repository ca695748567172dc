"""What a fit will cost, before it runs: seconds and memory, from a few seconds of measurement and a model of the rest."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import nn

from infomax.data import Pairs, read_pairs
from infomax.errors import InputError
from infomax.evaluation.vectors import device_of, remembered
from infomax.training import forecast
from infomax.training.forecast import Forecast
from infomax.training.generator import own_generator
from infomax.training.learner import Learner
from infomax.training.loop import Task
from infomax.training.metering import Meter
from infomax.training.parts import take
from infomax.training.run import fit, symmetric_info_nce
from infomax.training.settings import Settings, name_of
from infomax.training.start import check_encoder, choose_encoder, chosen_or_usual, opened, optimizer_for

SAMPLE = 8192  # pairs, at least, from which a static encoder's vocabulary is learned here
STILL = 1e-30  # a learning rate that moves nothing


@dataclass(frozen=True)
class Plan:
    """What a `fit` will cost.

    Attributes:
        pairs, batch_size, chunk, epochs, steps_per_epoch: the run; `pairs` to learn from, `batch_size` as the batches come out.
        dim, parameters: the encoder's.
        device, threads: where.
        seconds_per_step: of which `encode_seconds` and `score_seconds`.
        seconds_per_epoch: validation included.
        seconds: of all epochs; reading, tokenising and the evaluation at the end are not in it.
        peak_bytes: the most that the process (on CUDA: the device) holds while it trains and saves; None: not known here.
        free_bytes: what there is; None: not known.
        measured_rows: rows of the largest step, or scores, that was measured; the rest is the model's.
        planning_seconds: what this plan cost.
    """

    pairs: int
    batch_size: int
    chunk: int | None
    epochs: int
    steps_per_epoch: int
    dim: int
    parameters: int
    device: str
    threads: int
    seconds_per_step: float
    encode_seconds: float
    score_seconds: float
    seconds_per_epoch: float
    seconds: float
    peak_bytes: int | None
    free_bytes: int | None
    measured_rows: int
    planning_seconds: float

    @property
    def fits(self) -> bool | None:
        """Whether the memory suffices; None where it is not known."""
        return None if self.peak_bytes is None or self.free_bytes is None else self.peak_bytes <= self.free_bytes

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {**asdict(self), "fits": self.fits}


def plan(
    pairs: Any,
    *,
    number: int | None = None,
    encoder: Any = None,
    objective: Callable[..., torch.Tensor] = symmetric_info_nce,
    batch_size: Any = 1024,
    chunk: Any = None,
    epochs: Any = 3,
    validation: Any = 0.1,
    test: Any = 0.1,
    validations_per_epoch: Any = 1,
    device: str | torch.device | None = None,
    seed: Any = 0,
    clock: Callable[[], float] = perf_counter,
    seconds: float = 4.0,
) -> Plan:
    """Predict time and memory of `fit` with these arguments by measuring, for some seconds, on some of the pairs.

    Nothing is learned: a module that is given is copied.

    Args:
        pairs, encoder, objective, batch_size, chunk, epochs, validation, test, validations_per_epoch, device, seed: see `fit`.
        number: how many pairs there will be, where `pairs` are only some like them.
        clock: `time.process_time` counts what other programs of a busy machine do not take away.
        seconds: about how long to measure.

    Raises:
        InputError: pairs or settings that `fit` would refuse.
    """
    start = perf_counter()
    encoder = opened(encoder)
    chunk, _ = chosen_or_usual(encoder, chunk=chunk, learning_rate=STILL)
    settings = _settings(
        batch_size=batch_size, chunk=chunk, epochs=epochs, validation=validation, test=test,
        validations_per_epoch=validations_per_epoch, seed=seed, objective=name_of(objective),
    )  # fmt: skip
    found = read_pairs(pairs)
    shape = _Shape.of(len(found) if number is None else number, settings)
    with own_generator(seed):
        task = _task(found, encoder, objective, settings, device, max(shape.rows, SAMPLE))
        meter = Meter(device_of(task.learner.sides[0]), clock)
        step = forecast.of_step(task, meter, shape.rows, seconds)
        look = forecast.of_look(task, meter, shape.validation, seconds / 4)
    return _plan(task, meter, shape, step, look, start)


def _plan(task: Task, meter: Meter, shape: _Shape, step: Forecast, look: float, start: float) -> Plan:
    settings, held, (best, copies) = task.settings, meter.held(), _kept(task)
    an_epoch = shape.steps * (step.encode + step.scores) + settings.validations_per_epoch * look
    return Plan(
        pairs=shape.train,
        batch_size=shape.rows,
        chunk=settings.chunk,
        epochs=settings.epochs,
        steps_per_epoch=shape.steps,
        dim=step.dim,
        parameters=sum(p.numel() for p in task.learner.encoder.parameters()),
        device=str(device_of(task.learner.sides[0])),
        threads=torch.get_num_threads(),
        seconds_per_step=step.encode + step.scores,
        encode_seconds=step.encode,
        score_seconds=step.scores,
        seconds_per_epoch=an_epoch,
        seconds=settings.epochs * an_epoch,
        peak_bytes=None if step.peak is None or held is None else best + max(step.peak, held + copies),
        free_bytes=_free(meter),
        measured_rows=step.measured,
        planning_seconds=perf_counter() - start,
    )


def _settings(**chosen: Any) -> Settings:
    """Those of a `fit` that learns nothing; what is not chosen is as there by default."""
    usual = {name: parameter.default for name, parameter in inspect.signature(fit).parameters.items()}
    given = usual | {"learning_rate": STILL, "temperature_learning_rate": STILL, "encoder": {}} | chosen
    return Settings(**{f.name: given[f.name] for f in fields(Settings)})


@dataclass(frozen=True)
class _Shape:
    """How many pairs go where."""

    train: int
    validation: int
    steps: int
    rows: int

    @staticmethod
    def of(total: int, settings: Settings) -> _Shape:
        held = [round(total * share) for share in (settings.validation, settings.test)]
        train = total - sum(held)
        if total < 2 or train < 2:
            raise InputError(f"Learning needs at least two pairs, since each is told from the others; got {train}.")
        steps = -(-train // settings.batch_size)
        return _Shape(train, held[0], steps, -(-train // steps))


def _task(pairs: Pairs, encoder: Any, objective: Any, settings: Settings, device: Any, size: int) -> Task:
    """A run like that of `fit`, on at most `size` of the pairs, that learns nothing."""
    some = take(pairs, np.random.default_rng(settings.seed).permutation(len(pairs))[:size])
    check_encoder(encoder, some)
    if isinstance(encoder, nn.Module | tuple | list):
        encoder = deepcopy(encoder)
    learner = Learner(choose_encoder(encoder, some, None, settings.seed), settings.temperature)
    learner.to(device) if device is not None else learner.temperature.to(device_of(learner.sides[0]))
    one, other = learner.sides
    some = replace(some, anchors=remembered(one, some.anchors), candidates=remembered(other, some.candidates))
    return Task(learner, optimizer_for(learner, settings), objective, some, None, settings, reads_as_score=False)


def _kept(task: Task) -> tuple[int, int]:
    """Bytes of the best parameters so far, and of the copy that a checkpoint makes of these, the learner and its moments."""
    own = sum(tensor.nbytes for tensor in task.learner.state_dict().values())
    moments = [held for state in task.optimizer.state.values() for held in state.values()]
    return own, 2 * own + sum(held.nbytes for held in moments)


def _free(meter: Meter) -> int | None:
    """Bytes that a run may take: what is free now, and what this process holds, as the run would."""
    if meter.cuda:
        return torch.cuda.mem_get_info()[0] + (meter.held() or 0)
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable:")) + (
            meter.held() or 0
        )
    except (OSError, StopIteration):
        return None
