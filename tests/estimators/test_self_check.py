"""Planting: marginals stay, the mutual information is what it is said to be; the check shows what methods return."""

import json

import numpy as np
import pytest
from scipy.stats import multivariate_normal

import infomax
from infomax.data import sample
from infomax.errors import InputError
from infomax.estimators import KSG, Constant, Discrete, GaussianCopula
from infomax.estimators.planted import plant, planted_nats, planting


def draw(n=400, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_cauchy(n), np.exp(3 * rng.normal(size=n))


def test_the_marginals_stay():
    pairs = sample(np.column_stack(draw()), draw(seed=1)[0])
    planted = plant(pairs, 0.8, np.random.default_rng(0))
    for before, after in ((pairs.x, planted.x), (pairs.y, planted.y)):
        assert np.array_equal(np.unique(before.values, axis=0), np.unique(after.values, axis=0))
        assert after.names == before.names


def test_what_is_planted_between_continuous_columns_is_gaussian_after_ranks():
    found = planting(sample(*draw()), 0.5)
    assert found.nats == pytest.approx(0.5, abs=1e-5)
    assert found.rho == pytest.approx(np.sqrt(1 - np.exp(-1)), abs=1e-5)
    copula = [
        GaussianCopula()
        .measure(plant(sample(*draw()), found.rho, np.random.default_rng(s)), np.random.default_rng())
        .nats
        for s in range(20)
    ]
    assert np.mean(copula) == pytest.approx(0.5, abs=4 * np.std(copula) / np.sqrt(20))


def test_two_by_two_is_the_quadrant_of_the_normal():
    for rho, p, q in ((0.3, 0.5, 0.5), (0.9, 0.2, 0.7), (0.6, 0.02, 0.5)):
        from scipy.stats import norm

        corner = multivariate_normal([0, 0], [[1, rho], [rho, 1]]).cdf([norm.ppf(p), norm.ppf(q)])
        joint = np.array([[corner, p - corner], [q - corner, 1 - p - q + corner]])
        chance = np.outer([p, 1 - p], [q, 1 - q])
        truth = (joint * np.log(joint / chance)).sum()
        assert planted_nats(rho, np.array([p, 1 - p]), np.array([q, 1 - q])) == pytest.approx(truth, abs=2e-5)


def test_a_table_of_many_levels_comes_near_the_continuous_value():
    fine = np.full(200, 1 / 200)
    mixed, table = planted_nats(0.6, fine, None), planted_nats(0.6, fine, fine)
    assert table < mixed < planted_nats(0.6, None, None) == pytest.approx(0.22314, abs=1e-5)
    assert table == pytest.approx(0.22314, abs=2e-3)
    assert planted_nats(0.6, None, fine) == pytest.approx(mixed)
    assert planted_nats(0.6, fine[:20] * 10, fine) == pytest.approx(planted_nats(0.6, fine, fine[:20] * 10), abs=1e-5)


def test_discrete_plants_match_their_table():
    rng = np.random.default_rng(0)
    pairs = sample(rng.integers(0, 4, 20_000).astype(str), rng.random(20_000) < 0.3)
    found = planting(pairs, 0.1)
    assert found.nats == pytest.approx(0.1, abs=1e-4)
    assert Discrete().measure(plant(pairs, found.rho, rng), rng).nats == pytest.approx(0.1, abs=0.012)


def test_no_more_is_planted_than_fits():
    rng = np.random.default_rng(0)
    found = planting(sample(rng.normal(size=1000), np.arange(1000) % 20 == 0), 1.0)
    assert 0.05 < found.nats < 0.1  # half of the entropy, 0.199


def test_the_check_shows_each_method_at_each_dependence():
    check = infomax.self_check(*draw(), methods=[KSG(), Constant(), Discrete()], random_state=0)
    assert check.n == 400
    assert [(t.method, t.planted) for t in check.trials[3:6]] == [
        ("constant", 0.0),
        ("constant", pytest.approx(0.1)),
        ("constant", pytest.approx(1.0)),
    ]
    assert [trial.nats for trial in check.trials[3:6]] == [0, 0, 0]
    assert [round(trial.error, 3) for trial in check.trials[3:6]] == [0, -0.1, -1]
    for trial in check.trials[:3]:
        assert abs(trial.error) < 0.15
    assert all(trial.refused for trial in check.trials[6:])
    text = str(check)
    assert "0.000           0.100           1.000" in text
    assert "not defined on these columns" in text
    plain = json.loads(json.dumps(check.to_dict(), allow_nan=False))
    assert plain["trials"][6]["nats"] is None
    assert plain["trials"][4]["error"] == pytest.approx(-0.1)


def test_the_usual_methods_and_the_seed():
    one, other = (str(infomax.self_check(*draw(80), random_state=5)) for _ in range(2))
    assert one == other
    assert "KSG" in one


def test_what_cannot_be_checked_is_refused():
    with pytest.raises(InputError, match="constant"):
        infomax.self_check(np.ones(50), np.arange(50.0))
    with pytest.raises(InputError, match="methods is empty"):
        infomax.self_check(*draw(), methods=[])
