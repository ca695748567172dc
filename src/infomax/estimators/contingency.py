"""Pearson's X² of contingency tables against all permutations of one side, with its exact mean and variance.

Over all permutations, the margins being what they are, X² has mean n(r−1)(c−1)/(n−1) and a variance known in closed form
(Haldane 1940; Dawson 1954). Its upper tail is read off the gamma law with these two moments: the χ² law where no level is
rare, and close to the truth where many are. A table with rare levels and few rows is permuted instead.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

_RARE = 1.0  # expected rows in a cell below which the gamma law is not trusted,
_FEW = 5000  # unless there are more rows than this
_SHUFFLES = 9999
_AT_ONCE = 1 << 20  # shuffled entries in memory
Strata = Sequence[tuple[np.ndarray, np.ndarray]]


def contingency_p_value(strata: Strata, rng: np.random.Generator) -> float:
    """p-value of independence within every stratum, from the sum of X² over the strata.

    Args:
        strata: (n,) level codes of x and of y, for each stratum.
        rng: for the permutations of small tables with rare levels.

    >>> x = np.repeat([0, 1], 50)
    >>> contingency_p_value([(x, x)], np.random.default_rng(0)) < 1e-9
    True
    """
    tables = [table for table in map(_dense, strata) if len(table[0]) > 3 and table[2].shape[0] > 1 < table[2].shape[1]]
    if not tables:
        return 1.0  # a constant side is independent of everything
    observed = sum(_statistic(counts) for _, _, counts in tables)
    least = min(float(_expected(counts).min()) for _, _, counts in tables)
    if least < _RARE and sum(len(x) for x, _, _ in tables) <= _FEW:
        return _permuted(tables, observed, rng)
    mean, variance = np.sum([permutation_moments(counts.sum(1), counts.sum(0)) for _, _, counts in tables], axis=0)
    return float(stats.gamma.sf(observed, mean**2 / variance, scale=variance / mean))


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


def _dense(codes: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Codes without gaps, and the table of their counts."""
    x, y = (np.unique(side, return_inverse=True)[1].reshape(-1) for side in codes)
    return x, y, _counts(x, y, (int(x.max(initial=0)) + 1, int(y.max(initial=0)) + 1))


def _counts(x: np.ndarray, y: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    return np.bincount(x * shape[1] + y, minlength=shape[0] * shape[1]).reshape(shape)


def _expected(counts: np.ndarray) -> np.ndarray:
    return np.outer(counts.sum(1), counts.sum(0)) / counts.sum()


def _statistic(counts: np.ndarray) -> float:
    expected = _expected(counts)
    return float(((counts - expected) ** 2 / expected).sum())


def _permuted(
    tables: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray]], observed: float, rng: np.random.Generator
) -> float:
    totals = np.zeros(_SHUFFLES)
    for x, y, counts in tables:
        r, c = counts.shape
        expected = _expected(counts).ravel()
        size = max(1, _AT_ONCE // len(x))
        for start in range(0, _SHUFFLES, size):
            rows = min(size, _SHUFFLES - start)
            shuffled = rng.permuted(np.broadcast_to(y, (rows, len(y))), axis=1)
            cells = x * c + shuffled + r * c * np.arange(rows)[:, None]
            found = np.bincount(cells.ravel(), minlength=rows * r * c).reshape(rows, r * c)
            totals[start : start + rows] += ((found - expected) ** 2 / expected).sum(axis=1)
    return float(1 + np.count_nonzero(totals >= observed * (1 - 1e-9))) / (1 + _SHUFFLES)
