"""Permutation tests of wide sides shuffle a cheap statistic; no network is trained for them."""

import numpy as np

from infomax.data import sample
from infomax.estimators import Auto, Critic, Discrete, GaussianCopula, MixedKSG
from infomax.estimators.dependence import Dependence
from infomax.estimators.permutation import p_value

RNG = np.random.default_rng(0)
X = RNG.normal(size=(300, 4))


def test_the_statistic_is_the_sum_of_its_parts():
    s, rng = sample(X, X + RNG.normal(size=X.shape)), np.random.default_rng(1)
    parts = MixedKSG(queries=300).measure(s, rng).nats + GaussianCopula(correct_bias=False).measure(s, rng).nats
    assert np.isclose(Dependence().measure(s, rng).nats, parts)
    few = s.rows(np.arange(20))  # fewer than four rows a column: neighbours alone
    assert np.isclose(Dependence().measure(few, rng).nats, MixedKSG().measure(few, rng).nats)


def test_who_is_shuffled():
    wide, narrow = sample(X, X), sample(X[:, 0], X[:, 1])
    assert isinstance(Auto().tester(wide), Dependence)
    assert isinstance(Critic().tester(wide), Dependence)
    assert not isinstance(Auto().tester(narrow), Dependence)
    own = Discrete()
    assert own.tester(narrow) is own


def test_dependence_is_found_and_no_critic_is_trained_for_it(monkeypatch):
    trained = []
    measure = Critic.measure
    monkeypatch.setattr(Critic, "measure", lambda *a: trained.append(1) or measure(*a))
    y = 0.6 * X + 0.8 * RNG.normal(size=X.shape)
    found = Critic(folds=2, steps=20).estimate(X, y, permutations=19, random_state=0)
    assert found.p_value == 1 / 20
    assert len(trained) == 1


def test_independent_sides_are_rejected_at_the_level():
    """25 samples at 20 %: 5 expected, standard deviation 2."""

    def statistic(one, rng):
        return Dependence(queries=40).measure(one, rng).nats

    rejected = 0
    for seed in range(25):
        rng = np.random.default_rng(seed)
        s = sample(rng.normal(size=(40, 3)), rng.standard_cauchy(size=(40, 3)))
        rejected += p_value(statistic, s, statistic(s, rng), permutations=19, rng=rng) <= 0.2
    assert abs(rejected - 5) <= 3 * 2
