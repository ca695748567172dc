"""The choice among contenders for sides of several columns: how much better the richer must be, and what the error counts."""

import numpy as np
import pytest

from infomax.data import sample
from infomax.estimators import Constant, GaussianCopula, estimate, wide
from infomax.estimators.critic.held_out import Terms
from infomax.estimators.curvature import Curvature
from infomax.estimators.estimator import Measured


def candidate(influence):
    return wide._Candidate(Constant(), Measured(0.0), Terms(influence, influence, influence, 0.0))


@pytest.mark.parametrize(("standard_errors", "chosen"), [(1.9, 0), (2.1, 1), (-2.1, 0)])
def test_a_richer_contender_has_to_be_better_by_two_standard_errors(standard_errors, chosen):
    noise = np.tile([-1.0, 1.0], 200)  # mean 0, standard deviation 1: the error of a mean of 400 is 1/20
    contenders = [candidate(np.zeros(400)), candidate(noise + standard_errors / 20)]
    assert wide._best(contenders) is contenders[chosen]


def test_the_richest_is_compared_with_the_best_so_far():
    noise = np.tile([-1.0, 1.0], 200)
    contenders = [candidate(np.zeros(400)), candidate(noise + 1.0), candidate(2 * noise + 1.01)]
    assert wide._best(contenders) is contenders[1]


def test_where_the_constant_stands_what_the_copula_read_counts_as_error():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(200, 4)), rng.normal(size=(200, 5))
    found, copula = estimate(x, y, level=None, random_state=0), GaussianCopula().estimate(x, y, level=None)
    assert found.method.startswith("constant")
    assert abs(copula.nats) > 0.1 * copula.standard_error  # so that it is seen in the sum of squares
    assert found.standard_error == pytest.approx(np.hypot(copula.nats, copula.standard_error))


@pytest.mark.parametrize(("p_value", "added"), [(0.02, 0.0), (0.005, 0.3)])
def test_a_regression_is_taken_to_be_bent_from_one_in_a_hundred(p_value, added, monkeypatch):
    monkeypatch.setattr(wide.Curvature, "of", lambda x, y: Curvature(0.3, p_value))
    x = np.random.default_rng(0).normal(size=(50, 2))
    found = wide._bent(Measured(1.0, 0.4), sample(x, x[::-1].copy()))
    assert found.nats == pytest.approx(1.0 + added)
    assert found.standard_error == pytest.approx(np.hypot(0.4, added))
