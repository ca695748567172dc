"""One measurement: a rival on a sample, with its CPU seconds and under a limit of wall seconds."""

from __future__ import annotations

import datetime
import io
import logging
import os
import signal
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from functools import cache
from typing import Any

from benchmarks.information.rival import Answer, Rival, Sample, load
from benchmarks.information.task import GROUPS, Task, tasks
from benchmarks.machine import machine, versions

Row = dict[str, Any]


def measure(name: str, group: str, world_name: str, n: int, seed: int, limit: float) -> Row:
    """The row of one rival (by file name) on one sample; what went wrong stands in `error`."""
    task = next(task for task in tasks([group]) if task.world.name == world_name)
    rival = _warm(name, task.kind, len(task.sample(1, 0)))
    sample = _sample(task, n, seed)
    answer, error = Answer(), ""
    started = time.process_time()
    try:
        with _within(limit), _silent():
            answer = rival.answer(sample)
    except Exception as failure:  # a rival that fails is a result
        error = f"{type(failure).__name__}: {failure}".splitlines()[0][:200]
    taken = time.process_time() - started
    world = task.world
    return {
        **_here(),
        "load": f"{os.getloadavg()[0]:.2f}",
        **{"rival": name, "versions": versions(rival.packages), "group": task.group, "world": world.name},
        **{"kind": task.kind, "d_x": world.d_x, "d_y": world.d_y, "n": n, "seed": seed, "truth": _short(task.truth)},
        **{field: _short(value) for field, value in vars(answer).items()},
        **{"cpu_s": f"{taken:.4g}", "error": error},
    }


@cache
def _warm(name: str, kind: str, sides: int) -> Rival:
    """The rival after one small sample of this kind, so that imports are not on its time."""
    warnings.simplefilter("ignore")
    logging.disable()
    rival = load(name)
    task = next(task for task in tasks(list(GROUPS)) if task.kind == kind and len(task.sample(1, 0)) == sides)
    if rival.takes(task):
        with suppress(Exception), _silent():  # what fails here fails again when it is measured, and is told there
            rival.answer(_sample(task, 200, 0))
    return rival


def _sample(task: Task, n: int, seed: int) -> Sample:
    x, y, *z = task.sample(n, seed)
    return Sample(x, y, z[0] if z else None, task.kind, task.block, seed)


@cache
def _here() -> Row:
    about = machine()
    return {"date": datetime.date.today().isoformat(), "machine": about["machine"], "python": about["python"]}


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raises TimeoutError in the block once it has taken so long."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"more than {seconds:g} s")

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _silent() -> redirect_stdout[io.StringIO]:
    return redirect_stdout(io.StringIO())


def _short(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.6g}"
