"""Pearson's X² of contingency tables against all tables with the same margins.

Over these tables X² has mean n(r−1)(c−1)/(n−1) and a variance known in closed form (Haldane 1940; Dawson 1954). Where no cell
is so rare that a row more in it would move X² much, its upper tail is read off the gamma law with these two moments, near to the
χ² law. A table of two by two is read exactly. Others are set beside tables drawn at random; where no draw reaches X², the gamma
law of the table with its rare levels put together says how far out it lies, as it does of a table too large to be drawn. That
is a p-value too: it is the draws' own down to the least they can give, and below that at most the gamma law's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np
from scipy import stats

from infomax.estimators.sequential import LEAST, SAME, sequential_p_value
from infomax.information.contingency import levels, of_pairs

_FILLED = 5.0  # expected rows in every cell from which the gamma law is trusted;
_CALM = 10.0  # or the standard deviation of X² over what one row more in the rarest cell adds to it, at least
_POOLED = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, _FILLED)  # expected rows to put rare levels together for, in this order
_WORK = 10_000  # about as many rows, or an eighth of it as cells, can be drawn ten thousand times in a second
_AT_ONCE = 1 << 20  # drawn cells in memory
Strata = Sequence[tuple[np.ndarray, np.ndarray]]


def contingency_p_value(strata: Strata, rng: np.random.Generator) -> float:
    """p-value of independence within every stratum, from the sum of X² over the strata.

    Args:
        strata: (n,) level codes of x and of y, for each stratum.
        rng: for the tables drawn where levels are rare.

    >>> x = np.repeat([0, 1], 50)
    >>> contingency_p_value([(x, x)], np.random.default_rng(0)) < 1e-9
    True
    """
    tables = _informative([_Table(levels(x)[0], levels(y)[0]) for x, y in strata])
    if not tables:
        return 1.0  # a constant side is independent of everything
    if all(table.calm for table in tables):
        return _gamma_tail(tables)
    if len(tables) == 1 and tables[0].shape == (2, 2):
        return _exact(tables[0].counts)
    drawn = 1.0
    if small := sum(table.work for table in tables) <= _WORK:
        counts = [table.counts for table in tables]
        drawn = sequential_p_value(lambda k: _drawn(counts, k, rng), sum(float(_statistic(t)) for t in counts))
    if small and drawn > LEAST:
        return drawn
    pooled = _informative([table.pooled() for table in tables])
    return min(drawn, _gamma_tail(pooled)) if pooled else drawn


def permutation_moments(rows: np.ndarray, columns: np.ndarray) -> tuple[float, float]:
    """Mean and variance of X² over all tables with these margins (Haldane 1940).

    >>> permutation_moments(np.array([2, 2]), np.array([2, 2]))  # X² is 4, 0, 0, 0, 0, 4 over the six permutations
    (1.3333333333333333, 3.5555555555555554)
    """
    n, r, c = float(rows.sum()), len(rows), len(columns)
    mean = n * (r - 1) * (c - 1) / (n - 1)
    spread = [(k - 1) * (n - k) / (n - 1) for k in (r, c)]
    skew = [(n * (1 / margin).sum() - len(margin) ** 2) / (n - 2) for margin in (rows, columns)]
    variance = 2 * n / (n - 3) * (spread[0] - skew[0]) * (spread[1] - skew[1]) + n**2 / (n - 1) * skew[0] * skew[1]
    return mean, float(variance)


@dataclass(frozen=True)
class _Table:
    """(n,) codes of both sides without gaps; the table itself is made only where it is small."""

    x: np.ndarray
    y: np.ndarray

    @cached_property
    def margins(self) -> tuple[np.ndarray, np.ndarray]:
        return np.bincount(self.x), np.bincount(self.y)

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.margins
        return len(rows), len(columns)

    @property
    def calm(self) -> bool:
        """Whether the gamma law is trusted."""
        rows, columns = self.margins
        least = float(rows.min()) * float(columns.min()) / len(self.x)
        return least >= _FILLED or least * sqrt(max(0.0, permutation_moments(rows, columns)[1])) >= _CALM

    @property
    def counts(self) -> np.ndarray:
        """(r, c) rows of each pair of levels."""
        r, c = self.shape
        return np.bincount(self.x * c + self.y, minlength=r * c).reshape(r, c)

    @property
    def work(self) -> float:
        """Of drawing it, in rows."""
        cells = self.shape[0] * self.shape[1]
        return min(len(self.x), 8 * cells) + cells / 2

    @property
    def statistic(self) -> float:
        """X²; of a table of more cells than rows from the pairs that there are: Σ p(x, y) / p(x) p(y) - 1 over the rows."""
        if self.shape[0] * self.shape[1] <= len(self.x):
            return float(_statistic(self.counts))
        return float(np.expm1(of_pairs(self.x, self.y)[1]).sum())

    def pooled(self) -> _Table:
        """With as few of the rare levels put together as make it calm."""
        pooled = self
        for expected in _POOLED:
            least = sqrt(expected * len(self.x))
            pooled = _Table(_pooled(self.x, least), _pooled(self.y, least))
            if min(pooled.shape) < 2 or pooled.calm:
                break
        return pooled


def _pooled(codes: np.ndarray, least: float) -> np.ndarray:
    """Levels of fewer rows than `least` as one level, with the rarest other one if they are few together."""
    counts = np.bincount(codes)
    rare = counts < least
    if not rare.any():
        return codes
    if counts[rare].sum() < least and not rare.all():
        rare[np.where(rare, counts.max() + 1, counts).argmin()] = True
    return levels(np.where(rare[codes], len(counts), codes))[0]


def _informative(tables: list[_Table]) -> list[_Table]:
    return [table for table in tables if len(table.x) > 3 and min(table.shape) > 1]


def _gamma_tail(tables: Sequence[_Table]) -> float:
    mean, variance = np.sum([permutation_moments(*table.margins) for table in tables], axis=0)
    return float(stats.gamma.sf(sum(t.statistic for t in tables), mean**2 / variance, scale=variance / mean))


def _exact(counts: np.ndarray) -> float:
    """P(X² is as large) of a table of two by two: one cell, as far from its mean, by the hypergeometric law."""
    n, rows, columns = int(counts.sum()), int(counts[0].sum()), int(counts[:, 0].sum())
    mean = rows * columns / n
    cells = np.arange(max(0, rows + columns - n), min(rows, columns) + 1)
    as_far = np.abs(cells - mean) >= abs(counts[0, 0] - mean) * (1 - SAME)
    return min(1.0, float(stats.hypergeom.pmf(cells[as_far], n, rows, columns).sum()))


def _statistic(counts: np.ndarray, drawn: np.ndarray | None = None) -> np.ndarray:
    """X² of a table, or of each of (k, r, c) drawn with its margins."""
    expected = np.outer(counts.sum(1), counts.sum(0)) / counts.sum()
    return np.asarray((((counts if drawn is None else drawn) - expected) ** 2 / expected).sum((-2, -1)))


def _drawn(tables: Sequence[np.ndarray], k: int, rng: np.random.Generator) -> np.ndarray:
    """(k,) sums of X² over tables drawn with these margins."""
    totals = np.zeros(k)
    for counts in tables:
        law, size = stats.random_table(counts.sum(1), counts.sum(0)), max(1, _AT_ONCE // counts.size)
        for start in range(0, k, size):
            part = totals[start : start + size]
            part += _statistic(counts, law.rvs(len(part), random_state=rng))
    return totals
