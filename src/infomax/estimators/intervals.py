"""Two-sided intervals around a point estimate: from its standard error, or from how it varies over subsamples.

Subsamples (Politis & Romano 1994) are drawn without replacement, as methods that look at nearest neighbours break on the
duplicates of a bootstrap, and in disjoint pairs of m of the n pairs each: the two estimates of a pair are independent, so
half of their mean squared difference is the variance at m pairs, whatever part of it is due to the method rather than the
data, and m/n of that is the variance at n, for an estimate of rate 1/√n. For a series whole blocks are drawn.

Subsamples show bias too: an estimate that still rises from m pairs to n has further to rise. With a bias that falls like
n^-a the rest of the way is (I_n - I_m) / ((n/m)^a - 1), by which that end of the interval is moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import norm, t

from infomax.data.samples import Sample
from infomax.errors import InputError
from infomax.estimators.estimate import Interval

SUBSAMPLES = 32  # pairs of disjoint ones
LARGE = 2000  # up to here subsamples are halves; beyond it they grow like n^0.7, and cost less than one estimate
BIAS_RATE = 0.4  # a; neighbours in two to four joint dimensions have about that
FEWEST = 20  # units (pairs or blocks) below which no interval is given


def asymptotic(nats: float, standard_error: float, level: float, n: int) -> Interval:
    """From z standard errors below to a little more than z above, as `_around` explains.

    >>> interval = asymptotic(1.0, 0.1, 0.95, 1000)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.804, 1.2)
    """
    return Interval(*_around(nats, standard_error, float(norm.ppf((1 + level) / 2)), n), level, "asymptotic")


def subsampling(nats: float, spread: Spread, level: float, n: int) -> Interval:
    """The same with t for z, which has the degrees of freedom of the subsamples, and moved where there is a bias."""
    low, high = _around(nats, spread.error, float(t.ppf((1 + level) / 2, SUBSAMPLES)), n)
    return Interval(low + min(spread.ahead, 0.0), high + max(spread.ahead, 0.0), level, "subsampling")


def _around(nats: float, error: float, reach: float, n: int) -> tuple[float, float]:
    """Near independence the variance of the log ratio is twice its mean, so a sample whose estimate came out too small
    shows too small an error as well. The upper end is the largest I that lies `reach` errors above the estimate, with
    the error that I would have: error² + 2 (I - nats) / n.
    """
    half = reach**2 / n
    return nats - reach * error, nats + half + float(np.sqrt(half**2 + (reach * error) ** 2))


def error_over_blocks(local: np.ndarray, block: int) -> float:
    """Standard error of the mean of (n,) terms that depend on one another within blocks of consecutive ones only."""
    centred = local - local.mean()
    sums = np.add.reduceat(centred, np.arange(0, len(local), block))
    return float(np.sqrt((sums**2).sum() * len(sums) / max(len(sums) - 1, 1)) / len(local))


@dataclass(frozen=True)
class Spread:
    """What subsamples say of an estimate: its standard error, and how far it would yet move with more pairs, in nats."""

    error: float
    ahead: float


def spread_over_subsamples(
    statistic: Callable[[Sample, np.random.Generator], float],
    sample: Sample,
    nats: float,
    *,
    block: int = 1,
    rng: np.random.Generator,
    n_jobs: int = 1,
) -> Spread | None:
    """How the statistic, `nats` for the whole sample, varies; None where pairs or blocks are too few for the method."""
    units = np.arange(len(sample)) // block
    count = int(units[-1]) + 1
    if count < FEWEST:
        return None
    size = count // 2 if count <= LARGE else max(LARGE // 2, int(count**0.7))

    def two(child: np.random.Generator) -> list[float]:
        part = np.zeros(count, dtype=np.int64)
        part[child.permutation(count)[: 2 * size]] = np.repeat([1, 2], size)
        return [statistic(sample.rows(np.flatnonzero(part[units] == one)), child) for one in (1, 2)]

    try:
        values = np.array(Parallel(n_jobs=n_jobs)(delayed(two)(child) for child in rng.spawn(SUBSAMPLES)))
    except InputError:  # the method takes the whole sample, but not one of this size
        return None
    variance = float((np.diff(values) ** 2).mean() / 2) * size / count
    ahead = (nats - values.mean()) / ((count / size) ** BIAS_RATE - 1)
    return Spread(float(np.sqrt(variance)), float(ahead))
