"""Normal scores: each column's ranks, mapped to the quantiles of a standard normal.

Mutual information does not change under strictly increasing maps of the columns, and neither do ranks: what is computed
from normal scores is free of the units, the skew and the tails of a column. Tied values share their mean rank.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri


@dataclass(frozen=True)
class NormalScores:
    """The map that some training rows define, to be applied to any rows.

    Attributes:
        ordered: (n, d) each column of the training rows in ascending order.
    """

    ordered: np.ndarray

    @classmethod
    def fit(cls, values: np.ndarray) -> NormalScores:
        """The map of the columns of `values`, (n, d)."""
        return cls(np.sort(values, axis=0))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Normal scores of `values`, (m, d): the quantile of the share of training rows below, ties by half."""
        scores = np.empty(values.shape)
        n = len(self.ordered)
        for j in range(values.shape[1]):
            by_size = np.argsort(values[:, j])  # the search is several times faster in ascending order
            column, ordered = values[by_size, j], np.ascontiguousarray(self.ordered[:, j])
            below = np.searchsorted(ordered, column, "left")
            above = np.searchsorted(ordered, column, "right")
            scores[by_size, j] = ndtri(np.clip((below + above) / (2 * n), 0.5 / n, 1 - 0.5 / n))
        return scores


def normal_scores(values: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """(n, d) normal quantiles of (rank - 1/2) / n, column by column; equal values share their mean rank.

    With `rng`, a value that occurs fewer than √(10 n) times takes the ranks of its ties in random order (the
    distributional transform, Rüschendorf 2009: as the value can be read off the rank, no information is lost or won).

    >>> normal_scores(np.array([[10.0], [1000.0], [20.0]])).round(3).ravel().tolist()
    [-0.967, 0.967, 0.0]
    """
    return np.column_stack([_scores(column, rng) for column in values.T]) if values.shape[1] else values


def heavy(n: int) -> float:
    """How often a value occurs that is a point mass to be counted: two of that size share about ten rows by chance."""
    return float(np.sqrt(10 * n))


def _scores(column: np.ndarray, rng: np.random.Generator | None) -> np.ndarray:
    n = len(column)
    order = np.argsort(column)
    line = column[order]
    starts = np.flatnonzero(np.concatenate([[True], line[1:] != line[:-1]]))
    ranks = np.arange(n) + 0.5
    if len(starts) < n:
        sizes = np.diff(starts, append=n)
        shared = np.ones(len(starts), bool) if rng is None else sizes >= heavy(n)
        ranks = np.where(np.repeat(shared, sizes), np.repeat(starts + sizes / 2, sizes), ranks)
        if rng is not None:
            order = order[np.lexsort((rng.random(n), np.repeat(starts, sizes)))]
    below = ndtri(np.minimum(ranks, n - ranks) / n)
    scores = np.empty(n)
    scores[order] = np.where(2 * ranks <= n, below, -below)  # mirrored exactly, so a falling map mirrors the sample
    return scores
