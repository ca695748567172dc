"""`Auto`: the method that the sample calls for.

The kinds of the columns settle most: discrete sides are counted, a discrete and a continuous one go to Ross, point masses
and mixtures to mixed KSG, continuous sides of one or two columns to KSG. For wider continuous sides no rule is safe, so
the constant, the Gaussian copula and the neural critic are fitted, and judged on rows that they were not fitted to by one
number, InfoNCE over the same candidates: see `wide`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infomax.data.samples import Sample, Variable
from infomax.estimators.critic import Critic
from infomax.estimators.dependence import Dependence
from infomax.estimators.discrete import Discrete
from infomax.estimators.estimate import Contender
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.gaussian import GaussianCopula
from infomax.estimators.neighbours import KSG, MixedKSG, Ross
from infomax.estimators.wide import measure_wide

FEW_COLUMNS = 2  # up to so many a side, neighbours are near enough for KSG
NEAR = 0.4  # of its ceiling, from where KSG reads too little
TIES = 0.01  # share of repeated values from which a continuous column has point masses


class Auto(Estimator):
    """Chooses the method by the kinds of the columns, their number and their ties, and wide continuous sides by score.

    What was chosen, and what else was considered with which score, is in `contenders`.

    Args:
        critic: the `Critic` that takes part for wide continuous sides; None for one with its default settings.
    """

    def __init__(self, critic: Critic | None = None) -> None:
        self.critic = critic

    @property
    def title(self) -> str:
        return "auto"

    def tester(self, sample: Sample) -> Estimator:
        return _by_kind(sample) or Dependence()

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:
        chosen = _by_kind(sample)
        if chosen is None:
            return measure_wide(sample, self.critic or Critic(), rng)
        measured = chosen.measure(sample, rng)
        title = measured.method or chosen.title
        contenders = measured.contenders or (Contender(title, measured.nats, None, True),)
        if _near_ceiling(chosen, sample, measured):
            copula = GaussianCopula()
            higher = copula.measure(sample, rng)
            if measured.nats < higher.nats < np.inf:  # equal ranks on both sides say nothing of how much
                both = (Contender(copula.title, higher.nats, None, True), replace(contenders[0], chosen=False))
                return replace(higher, method=copula.title, citation=copula.citation, contenders=both)
        return replace(measured, method=title, citation=measured.citation or chosen.citation, contenders=contenders)


def _by_kind(sample: Sample) -> Estimator | None:
    """The estimator for these kinds of columns; None for wide continuous sides, where kinds do not settle it."""
    sides = [side for side in (sample.x, sample.y, sample.z) if side is not None]
    kinds = [side.kind for side in sides]
    if set(kinds) == {"discrete"}:
        return Discrete()
    if "mixed" in kinds or any(_tied(side) for side in sides):
        return MixedKSG()
    if kinds[:2] == ["continuous", "continuous"]:
        wide = max(side.values.shape[1] for side in sides) > FEW_COLUMNS
        if not wide or kinds[2:] == ["discrete"]:
            return KSG()
        return GaussianCopula() if sample.z is not None else None
    return Ross() if kinds[0] != kinds[1] and kinds[2:] != ["continuous"] else MixedKSG()


def _near_ceiling(chosen: Estimator, sample: Sample, measured: Measured) -> bool:
    """Whether the Gaussian copula should be asked too: of all laws with its margins and correlation it tells the least, so on
    one column a side it reads no more than there is, and it has no ceiling."""
    single = sample.x.values.shape[1] == sample.y.values.shape[1] == 1 and sample.z is None
    return isinstance(chosen, KSG) and single and measured.nats > NEAR * measured.details["ceiling"]


def _tied(side: Variable) -> bool:
    """Whether a continuous column repeats so many of its values that it has point masses."""
    columns = side.values[:, ~side.discrete].T
    return any(1 - len(np.unique(column)) / len(column) > TIES for column in columns)
