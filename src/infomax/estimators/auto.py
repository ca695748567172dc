"""`Auto`: the method that the sample calls for, by the kinds and the number of its columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infomax.data.samples import Sample, Variable
from infomax.estimators.discrete import Discrete
from infomax.estimators.estimate import Contender
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.gaussian import GaussianCopula
from infomax.estimators.neighbours import KSG, MixedKSG, Ross

FEW_COLUMNS = 2  # up to so many a side, neighbours are near enough for KSG
TIES = 0.01  # share of repeated values from which a continuous column has point masses


class Auto(Estimator):
    """Chooses a method by the kinds of the columns, their number and their ties, and says so in `contenders`."""

    @property
    def title(self) -> str:
        return "auto"

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:
        chosen = _by_kind(sample)
        return _named(chosen, chosen.measure(sample, rng))


def _by_kind(sample: Sample) -> Estimator:
    sides = [side for side in (sample.x, sample.y, sample.z) if side is not None]
    kinds = [side.kind for side in sides]
    if set(kinds) == {"discrete"}:
        return Discrete()
    if "mixed" in kinds or any(_tied(side) for side in sides):
        return MixedKSG()
    if kinds[:2] == ["continuous", "continuous"]:
        wide = max(side.values.shape[1] for side in sides) > FEW_COLUMNS
        if wide and "discrete" not in kinds:
            return GaussianCopula()
        return KSG()
    if kinds[0] != kinds[1] and kinds[2:] != ["continuous"]:
        return Ross()
    return MixedKSG()


def _tied(side: Variable) -> bool:
    """Whether a continuous column repeats so many of its values that it has point masses."""
    columns = side.values[:, ~side.discrete].T
    return any(1 - len(np.unique(column)) / len(column) > TIES for column in columns)


def _named(chosen: Estimator, measured: Measured) -> Measured:
    title = measured.method or chosen.title
    contenders = measured.contenders or (Contender(title, measured.nats, None, True),)
    return replace(measured, method=title, citation=measured.citation or chosen.citation, contenders=contenders)
