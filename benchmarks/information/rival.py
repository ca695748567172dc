"""What a rival is: a name, the packages that it needs, what it takes, and one function from a sample to an answer."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.information import rivals
from benchmarks.information.task import Task
from infomax.data.worlds import ConditionalWorld


@dataclass(frozen=True)
class Sample:
    """What a rival is given: (n, d) arrays, int64 where discrete; z or None; block of dependent pairs; a seed of its own."""

    x: np.ndarray
    y: np.ndarray
    z: np.ndarray | None
    kind: str
    block: int
    seed: int


@dataclass(frozen=True)
class Answer:
    """What a rival says, in nats; None for what it does not say.

    Attributes:
        nats: the point estimate.
        standard_error: of it.
        low, high: limits that are to hold the truth in 95 of 100 samples.
        p_value: of independence.
        held_out: what a held-out bound says before anything is added to it.
        certified: a lower limit that is to hold in 95 of 100 samples whatever the law.
        method: what it chose to do.
    """

    nats: float | None = None
    standard_error: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    held_out: float | None = None
    certified: float | None = None
    method: str = ""


@dataclass(frozen=True)
class Rival:
    """One contestant.

    Attributes:
        name: as the tables show it.
        packages: the distributions that it comes from, for their versions.
        measure: a sample to an answer, or to the estimate alone.
        kinds: of columns that it takes: "continuous", "discrete", "mixed" (one side discrete, the other not).
        one_dimensional: it takes one column a side.
        conditional: it can condition on z.
        groups: of tasks that it is for; empty for all.
    """

    name: str
    packages: tuple[str, ...]
    measure: Callable[[Sample], Answer | float]
    kinds: tuple[str, ...] = ("continuous",)
    one_dimensional: bool = False
    conditional: bool = False
    groups: tuple[str, ...] = ()

    def takes(self, task: Task) -> bool:
        """Whether its interface has the kind, the columns and the condition of the task."""
        if self.groups and task.group not in self.groups:
            return False
        if isinstance(task.world, ConditionalWorld) and not self.conditional:
            return False
        if self.one_dimensional and max(task.world.d_x, task.world.d_y) > 1:
            return False
        return task.kind in self.kinds

    def answer(self, sample: Sample) -> Answer:
        """The answer, a bare number made one."""
        said = self.measure(sample)
        return said if isinstance(said, Answer) else Answer(nats=float(said))


def names() -> list[str]:
    """The file names in benchmarks/information/rivals."""
    return [module.name for module in pkgutil.iter_modules(rivals.__path__)]


def load(name: str) -> Rival:
    """The rival of this file name; an ImportError where its package is not here."""
    return importlib.import_module(f"benchmarks.information.rivals.{name}").RIVAL
