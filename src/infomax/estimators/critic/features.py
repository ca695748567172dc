"""What a critic sees of x and y, fitted on the rows that it is fitted to, and the Gaussian answer that it starts from.

A side's features are the normal scores of its columns (a discrete column as one 0/1 column a level) and, where it has
several continuous columns, of two logarithms of norms: about zero in the data's own units, and about the medians in
units of each column's spread. Norms are what coordinates hide one by one: heavy tails that are shared, rings, spirals.

The baseline is the log density ratio of the canonical pairs of these features as if they were jointly Gaussian, of those
correlations that stand out from noise. A network corrects it, and sees its leading variates beside the features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infomax.data.samples import Sample, Variable
from infomax.estimators.canonical import LARGEST_RHO, CanonicalPairs
from infomax.estimators.normal_scores import NormalScores

VARIATES = 3  # leading canonical variates a side that the network sees
MOST_LEVELS = 64  # of a discrete column that become columns of their own


@dataclass(frozen=True)
class Inputs:
    """m rows as a critic sees them.

    Attributes:
        x, y: (m, p) and (m, q) features.
        u, v: (m, r) canonical variates that the baseline pairs.
    """

    x: np.ndarray
    y: np.ndarray
    u: np.ndarray
    v: np.ndarray


@dataclass(frozen=True)
class SideFeatures:
    """The map of one side to its features, (n, d) to (n, p).

    Attributes:
        levels: discrete column -> the codes that have a column of their own.
        centre, spread: (c,) medians and median absolute deviations of the c continuous columns.
        unit: the largest absolute value among them.
        scores: the map of the plain features to normal scores.
    """

    levels: dict[int, np.ndarray]
    centre: np.ndarray
    spread: np.ndarray
    unit: float
    scores: NormalScores

    @classmethod
    def fit(cls, side: Variable) -> SideFeatures:
        columns = {int(j): _common_levels(side.values[:, j]) for j in np.flatnonzero(side.discrete)}
        continuous = side.values[:, ~side.discrete]
        centre = np.median(continuous, axis=0)
        unit = float(np.abs(continuous).max(initial=0.0)) or 1.0
        spread = np.median(np.abs(continuous / unit - centre / unit), axis=0)
        spread[spread == 0] = 1.0
        unfitted = cls(columns, centre, spread, unit, NormalScores(np.empty((0, 0))))
        return cls(columns, centre, spread, unit, NormalScores.fit(unfitted._plain(side)))

    def __call__(self, side: Variable) -> np.ndarray:
        return self.scores(self._plain(side))

    def _plain(self, side: Variable) -> np.ndarray:
        continuous = side.values[:, ~side.discrete]
        found = [continuous]
        found += [side.values[:, [j]] == codes for j, codes in self.levels.items()]
        if continuous.shape[1] > 1:
            own = continuous / self.unit
            about_medians = (own - self.centre / self.unit) / self.spread
            found += [_log_norm(own), _log_norm(about_medians)]
        return np.column_stack(found).astype(float)


@dataclass(frozen=True)
class FoldFeatures:
    """The features of both sides and the baseline, all fitted on the same rows.

    Attributes:
        x, y: maps of the sides.
        pairs: the canonical pairs of the features.
        rho: (r,) the correlations of the baseline, shrunk.
    """

    x: SideFeatures
    y: SideFeatures
    pairs: CanonicalPairs
    rho: np.ndarray

    @classmethod
    def fit(cls, sample: Sample) -> FoldFeatures:
        x, y = SideFeatures.fit(sample.x), SideFeatures.fit(sample.y)
        pairs = CanonicalPairs.fit(x(sample.x), y(sample.y))
        return cls(x, y, pairs, np.minimum(pairs.unbiased(), LARGEST_RHO))

    def __call__(self, sample: Sample) -> Inputs:
        x, y = self.x(sample.x), self.y(sample.y)
        u, v = self.pairs.variates(x, y)
        shown, kept = VARIATES, len(self.rho)
        return Inputs(np.hstack([x, u[:, :shown]]), np.hstack([y, v[:, :shown]]), u[:, :kept], v[:, :kept])


def _common_levels(codes: np.ndarray) -> np.ndarray:
    found, counts = np.unique(codes, return_counts=True)
    return found[np.argsort(-counts, kind="stable")[:MOST_LEVELS]]


def _log_norm(values: np.ndarray) -> np.ndarray:
    return np.log(np.linalg.norm(values, axis=1) + np.finfo(float).tiny)
