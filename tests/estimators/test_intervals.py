"""Intervals: what a standard error becomes, what subsamples say of spread and bias, and that they cover."""

import numpy as np
import pytest
from scipy.stats import norm

from infomax.data import sample
from infomax.errors import InputError
from infomax.estimators.intervals import (
    BIAS_RATE,
    SUBSAMPLES,
    Spread,
    asymptotic,
    error_over_blocks,
    spread_over_subsamples,
    subsampling,
)


def pairs_of(values):
    return sample(values, np.arange(len(values)) + 0.5)


def mean(pairs, rng):
    return float(pairs.x.values.mean())


def test_a_normal_interval_at_large_n():
    interval = asymptotic(1.0, 0.5, 0.9, 10**12)
    assert interval.low == pytest.approx(1 - 0.5 * norm.ppf(0.95))
    assert interval.high == pytest.approx(1 + 0.5 * norm.ppf(0.95), abs=1e-5)
    assert (interval.level, interval.kind) == (0.9, "asymptotic")


def test_the_upper_end_is_where_its_own_error_ends():
    interval = asymptotic(0.02, 0.01, 0.95, 100)
    reach = norm.ppf(0.975)
    assert interval.high - 0.02 == pytest.approx(reach * np.sqrt(0.01**2 + 2 * (interval.high - 0.02) / 100))


@pytest.mark.parametrize("n", [200, 4000])
def test_subsamples_give_the_standard_error_of_a_mean(n):
    values = np.random.default_rng(0).normal(size=n)
    spread = spread_over_subsamples(mean, pairs_of(values), values.mean(), rng=np.random.default_rng(1))
    truth = values.std(ddof=1) / np.sqrt(n)
    assert spread is not None
    assert spread.error == pytest.approx(truth, rel=4 / np.sqrt(2 * SUBSAMPLES))
    assert abs(spread.ahead) < 4 * 3.2 * truth * np.sqrt((n / (1000 if n > 2000 else n / 2) - 1) / SUBSAMPLES)


def test_blocks_of_a_series_are_drawn_whole():
    values = np.repeat(np.random.default_rng(0).normal(size=100), 10)  # ten copies: 100 independent values
    pairs = pairs_of(values)
    errors = [
        spread_over_subsamples(mean, pairs, values.mean(), block=block, rng=np.random.default_rng(1)).error
        for block in (1, 10)
    ]
    assert errors[1] == pytest.approx(values.std() / 10, rel=0.35)
    assert errors[0] < errors[1] / 2
    assert error_over_blocks(values, 10) == pytest.approx(values.std() / 10, rel=0.01)
    assert error_over_blocks(values, 1) == pytest.approx(values.std() / np.sqrt(1000), rel=0.01)


def test_a_bias_that_falls_moves_the_end_that_it_hides():
    def biased(pairs, rng):
        return 1.0 - len(pairs) ** -BIAS_RATE

    values = np.random.default_rng(0).normal(size=500)
    spread = spread_over_subsamples(biased, pairs_of(values), 1 - 500**-BIAS_RATE, rng=np.random.default_rng(1))
    assert spread.error == 0
    assert spread.ahead == pytest.approx(500**-BIAS_RATE)
    interval = subsampling(0.0, Spread(0.1, 0.3), 0.95, 10**9)
    assert interval.high - 0.3 == pytest.approx(-interval.low, rel=1e-3)
    interval = subsampling(0.0, Spread(0.1, -0.3), 0.95, 10**9)
    assert interval.high == pytest.approx(-interval.low - 0.3, rel=1e-3)


def test_no_interval_where_pairs_are_too_few():
    assert spread_over_subsamples(mean, pairs_of(np.arange(19.0)), 9.0, rng=np.random.default_rng(0)) is None
    assert spread_over_subsamples(mean, pairs_of(np.arange(190.0)), 9.0, block=10, rng=np.random.default_rng(0)) is None

    def of_more(pairs, rng):
        raise InputError("too few")

    assert spread_over_subsamples(of_more, pairs_of(np.arange(30.0)), 9.0, rng=np.random.default_rng(0)) is None
