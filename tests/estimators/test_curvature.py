"""Bent regressions: seen where they are, by as much as they tell, and no oftener than their level where there are none."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import binom

from infomax.data.worlds import beyond_normal
from infomax.estimators import estimate
from infomax.estimators.curvature import Curvature

SPIRAL = next(w for w in beyond_normal() if w.name == "spiral-normal_cdf-multinormal-sparse-5-5-2-2.0")
GAUSSIAN = next(w for w in beyond_normal() if w.name == "multinormal-sparse-5-5-2-2.0")


def test_straight_regressions_are_called_bent_no_oftener_than_the_level_says():
    rng, draws = np.random.default_rng(0), 300
    found = []
    for _ in range(draws):
        x = rng.normal(size=(200, 4))
        found.append(Curvature.of(x, x[:, :3] + rng.normal(size=(200, 3))))
    for level in (0.01, 0.1):
        assert sum(one.p_value < level for one in found) <= binom.ppf(0.999, draws, level)
    assert np.mean([one.p_value for one in found]) < 0.9  # not for want of power
    # by chance p products explain a share of p / n, give or take √(2p) / n; the first is taken off, of the rest half is below 0
    products, variates = 20, 6
    assert np.mean([one.nats for one in found]) < variates * np.sqrt(2 * products) / 200 / 2


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    "bend",
    [
        lambda x: (
            x[:, 0] * ((x**2).sum(1) - 6)
        ),  # turns with the radius: a column times the squared norm, made uncorrelated
        lambda x: x[:, 0] * x[:, 3],  # a leading variate times a column
        lambda x: x[:, 0] ** 3 - 3 * x[:, 0],  # a cube
    ],
)
def test_what_a_bend_tells_is_found(bend, turned):
    """y = x_0 + b(x) + noise, with b uncorrelated with x: the straight line leaves b + noise, the bent one noise alone."""
    rng, n = np.random.default_rng(1), 20_000
    x = rng.normal(size=(n, 4))
    b = bend(x)
    b /= b.std()
    y = np.column_stack([2 * x[:, 0] + 0.5 * b + rng.normal(size=n), rng.normal(size=n)])
    found = Curvature.of(y, x) if turned else Curvature.of(x, y)
    one_way = 0.5 * np.log(1 + 0.5**2)
    # ½ log(1 + (¼ + cov(b, noise)) / var(noise)), the sample's variance of b being 1: its error is 0.4 √(1 + 2/16) / √n
    four_errors = 4 * 0.4 * np.sqrt(1 + 2 / 16) / np.sqrt(n)
    assert found.p_value < 1e-20
    assert found.nats > one_way - four_errors  # the other direction may be bent too


def test_too_few_rows_or_no_dependence_say_nothing():
    rng = np.random.default_rng(2)
    few = rng.normal(size=(60, 10))
    assert Curvature.of(few, few + rng.normal(size=(60, 10))) == Curvature(0.0, 1.0)
    x, y = rng.normal(size=(2, 500, 3))
    assert Curvature.of(x, y) == Curvature(0.0, 1.0)


@pytest.mark.parametrize("memory", [0.5, 0.9])
def test_a_series_is_not_taken_for_a_bend(memory):
    rng = np.random.default_rng(4)
    draws = rng.normal(size=(2, 1500, 4))
    x, own = (lfilter([1], [1, -memory], one, axis=0)[500:] for one in draws)
    assert Curvature.of(x, x + own) == Curvature(0.0, 1.0)
    x, own = draws[:, :1000]
    order = np.argsort(x[:, 0])  # sorted rows are no series
    assert Curvature.of(x[order], (x + own + 0.3 * x**2)[order]).p_value < 1e-6


def test_products_that_repeat_each_other_count_once():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1000, 1))  # its cube is a column times the squared norm, and a triple product
    y = x + rng.normal(size=(1000, 1))
    assert Curvature.of(x, y).p_value > 0.01 > Curvature.of(x, y + x**3).p_value


def test_a_copula_that_stands_though_regressions_bend_is_corrected_and_says_so():
    found = estimate(*SPIRAL.sample(1000, 4000), random_state=0)
    assert [c.kind for c in found.cautions] == ["bent regressions"]
    assert "copula" in found.method
    assert found.nats == pytest.approx(found.details["copula"] + found.details["bent_regressions"])
    assert found.standard_error > found.details["bent_regressions"] > 0.05
    assert found.interval.low < SPIRAL.mutual_information < found.interval.high
    assert found.details["copula"] < SPIRAL.mutual_information - 3 * 0.035  # as the copula alone would have it
    straight = estimate(*GAUSSIAN.sample(1000, 4000), random_state=0)
    assert "copula" in straight.method
    assert not straight.cautions
