"""Two-sided intervals around a point estimate: from its standard error, or from how it varies over subsamples.

Subsampling (Politis & Romano 1994) draws without replacement, as methods that look at nearest neighbours break on the
duplicates of a bootstrap. The spread of the estimate over subsamples of m of n pairs is that of m pairs short of what is
shared with the whole: sd_m² = σ²(1/m - 1/n) for an estimate of rate 1/√n, so that sd_n = sd_m √(m / (n - m)), which is the
delete-d jackknife (Shao & Wu 1989). For a series whole blocks are drawn.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from joblib import Parallel, delayed
from scipy.stats import norm, t

from infomax.data.samples import Sample
from infomax.errors import InputError
from infomax.estimators.estimate import Interval

SUBSAMPLES = 64
LARGE = 2000  # up to here subsamples are halves; beyond it they grow like n^0.7, and cost less than one estimate
FEWEST = 20  # units (pairs or blocks) below which no interval is given


def asymptotic(nats: float, standard_error: float, level: float) -> Interval:
    """nats ± z standard errors.

    >>> interval = asymptotic(1.0, 0.1, 0.95)
    >>> round(interval.low, 3), round(interval.high, 3)
    (0.804, 1.196)
    """
    reach = float(norm.ppf((1 + level) / 2)) * standard_error
    return Interval(nats - reach, nats + reach, level, "asymptotic")


def error_over_blocks(local: np.ndarray, block: int) -> float:
    """Standard error of the mean of (n,) terms that depend on one another within blocks of consecutive ones only."""
    centred = local - local.mean()
    sums = np.add.reduceat(centred, np.arange(0, len(local), block))
    return float(np.sqrt((sums**2).sum() * len(sums) / max(len(sums) - 1, 1)) / len(local))


def subsample_error(
    statistic: Callable[[Sample, np.random.Generator], float],
    sample: Sample,
    *,
    block: int = 1,
    rng: np.random.Generator,
    n_jobs: int = 1,
) -> float | None:
    """Standard error of the statistic of the whole sample; None where pairs or blocks are too few for the method."""
    n = len(sample)
    units = np.arange(n) // block
    count = int(units[-1]) + 1
    if count < FEWEST:
        return None
    size = count // 2 if count <= LARGE else max(LARGE // 2, int(count**0.7))

    def one(child: np.random.Generator) -> float:
        chosen = np.zeros(count, dtype=bool)
        chosen[child.permutation(count)[:size]] = True
        return statistic(sample.rows(np.flatnonzero(chosen[units])), child)

    try:
        values = np.array(Parallel(n_jobs=n_jobs)(delayed(one)(child) for child in rng.spawn(SUBSAMPLES)))
    except InputError:  # the method takes the whole sample, but not one of this size
        return None
    return float(values.std(ddof=1) * np.sqrt(size / (count - size)))


def subsampling(nats: float, standard_error: float, level: float) -> Interval:
    """nats ± t standard errors, with the degrees of freedom of the subsamples."""
    reach = float(t.ppf((1 + level) / 2, SUBSAMPLES - 1)) * standard_error
    return Interval(nats - reach, nats + reach, level, "subsampling")
