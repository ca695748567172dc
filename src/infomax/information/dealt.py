"""What a contingency table shows when its margins are kept and the pairs are dealt at random.

Each cell is then hypergeometric, so the expected information is an exact sum over the cells and their possible counts (Vinh,
Epps & Bailey 2010, JMLR 11:2837); cells with like margins are computed once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.special import gammaln

Terms = Callable[[np.ndarray], np.ndarray]
Margin = tuple[tuple[int, ...], tuple[int, ...]]  # totals, and how often each occurs
# A count of at least this standard deviation has a normal law, and every second, third ... of its values stand for all.
FINE = 1000


@dataclass(frozen=True)
class Dealt:
    """Information in nats over all ways to deal the pairs.

    Attributes:
        mean: exact.
        deviation: standard deviation, cells taken as independent but for what the margins fix: right within a few per cent
            where cells are well filled or nearly empty.
    """

    mean: float
    deviation: float


def dealt_at_random(rows: np.ndarray, columns: np.ndarray, terms: Terms) -> Dealt:
    """Mean and deviation of log n + (sum f(cells) - sum f(rows) - sum f(columns)) / n.

    Args:
        rows, columns: the margins, all above zero, of one total n.
        terms: f, from counts to one number each: n log n makes this the plug-in mutual information.
    """
    return _dealt(_margin(rows), _margin(columns), terms)


def _margin(counts: np.ndarray) -> Margin:
    totals, times = np.unique(counts, return_counts=True)
    return tuple(totals.tolist()), tuple(times.tolist())


@lru_cache(maxsize=4096)  # shuffling a side keeps both margins, and many small strata have few kinds of them
def _dealt(rows: Margin, columns: Margin, terms: Terms) -> Dealt:
    (a, times_a), (b, times_b) = (tuple(np.array(part) for part in margin) for margin in (rows, columns))
    n = int(a @ times_a)
    means, slopes, curved = (
        np.stack(part) for part in zip(*(_cells(row, b, n, terms) for row in a.tolist()), strict=True)
    )
    mean = times_a @ means @ times_b - terms(a) @ times_a - terms(b) @ times_b
    variance = times_a @ curved @ times_b * _freedom(a / n, times_a) * _freedom(b / n, times_b)
    variance += n * _spread(slopes, times_a * a / n, times_b * b / n)
    return Dealt(float(np.log(n) + mean / n), float(np.sqrt(variance)) / n)


def _cells(row: int, columns: np.ndarray, n: int, terms: Terms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a cell of this row in each column: the mean of f, the slope of f on the count, the variance of f beyond it.

    All (c,); exact sums over the hypergeometric law of the count.
    """
    share = columns / n
    middle = row * share
    sigma = np.sqrt(middle * (1 - share) * (1 - row / n))
    reach = 10 * sigma + 15  # beyond it no mass that double precision would see
    low = np.maximum(np.maximum(0, row + columns - n), np.floor(middle - reach)).astype(np.int64)
    high = np.minimum(np.minimum(row, columns), np.ceil(middle + reach)).astype(np.int64)
    step = 1 + (sigma / FINE).astype(np.int64)
    lengths = (high - low) // step + 1
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])

    def each(values: np.ndarray) -> np.ndarray:
        return np.repeat(values, lengths)

    count = each(low) + each(step) * (np.arange(lengths.sum()) - each(starts))
    log_p = _log_hypergeometric(count, row, each(columns), n)
    if (step > 1).any():
        normal = -0.5 * ((count - each(middle)) / np.maximum(each(sigma), 1)) ** 2
        log_p = np.where(each(step) > 1, normal, log_p)
    p = np.exp(log_p - each(np.maximum.reduceat(log_p, starts)))
    p /= each(np.add.reduceat(p, starts))  # where counts are large, log-gamma has lost the digits of its scale
    f = terms(count)

    def expected(values: np.ndarray) -> np.ndarray:
        return np.add.reduceat(p * values, starts)

    def centred(values: np.ndarray) -> np.ndarray:
        return values - each(expected(values))

    deviation, distance = centred(f), centred(count)
    spread, shared = expected(distance**2), expected(deviation * distance)
    slope = np.divide(shared, spread, out=np.zeros_like(spread), where=spread > 0)
    return expected(f), slope, np.maximum(expected(deviation**2) - slope * shared, 0.0)


def _spread(slopes: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> float:
    """Mean square of what is left of the slopes when a number for each row and each column is taken off, weights given.

    Counts of a row, and of a column, add up to a constant, so such parts of the slopes move nothing.
    """
    over_columns, over_rows = slopes @ columns, rows @ slopes
    left = slopes - over_columns[:, None] - over_rows[None, :] + rows @ over_columns
    return float(rows @ left**2 @ columns)


def _log_hypergeometric(count: np.ndarray, row: int, column: np.ndarray, n: int) -> np.ndarray:
    """log P(count of `row` draws out of n, `column` of them marked)."""

    def log_choose(total: Any, chosen: Any) -> Any:
        return gammaln(total + 1) - gammaln(chosen + 1) - gammaln(total - chosen + 1)

    return log_choose(column, count) + log_choose(n - column, row - count) - log_choose(n, row)


def _freedom(shares: np.ndarray, times: np.ndarray) -> float:
    """Degrees of freedom of a margin over what cells taken as independent would have: 1 for many small shares."""
    return float((times.sum() - 1) / (times @ (1 - shares) ** 2))
