"""What a rival of nearest-neighbour estimates is: a name, its packages, a function, and the sizes that it is asked for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks import neighbour_rivals
from infomax.data.samples import Sample, Variable
from infomax.estimators import Estimator

RNG = np.random.default_rng(0)  # one for all calls: only random rows draw from it


@dataclass(frozen=True)
class NeighbourRival:
    """One contestant.

    Attributes:
        name: as the tables show it.
        packages: the distributions that it comes from, for their versions.
        nats: (x, y, k) -> KSG 1 in nats, of (n, d) arrays.
        same_number: it computes what the definition says on the data as they are; only then is it timed against others.
        most_columns: a side that it takes.
        smallest: the smallest n that it is asked for.
    """

    name: str
    packages: tuple[str, ...]
    nats: Callable[[np.ndarray, np.ndarray, int], float]
    same_number: bool = True
    most_columns: int = 1 << 30
    smallest: int = 0


def measured(estimator: Estimator, x: np.ndarray, y: np.ndarray) -> float:
    """The estimator's number, cautions and all."""
    x, y = (Variable(side, np.zeros(side.shape[1], bool), ("",) * side.shape[1]) for side in (x, y))
    return estimator.measure(Sample(x, y), RNG).nats


def load() -> tuple[list[NeighbourRival], list[str]]:
    """The rivals, and a note for each that cannot be imported here."""
    found, notes = [], []
    for module in pkgutil.iter_modules(neighbour_rivals.__path__):
        try:
            found.append(importlib.import_module(f"benchmarks.neighbour_rivals.{module.name}").RIVAL)
        except ImportError as error:
            notes.append(f"{module.name} is left out: {error}")
    return found, notes
