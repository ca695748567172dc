"""Certificates: the bets are fair, the limits hold, and they are worth having."""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pytest

from infomax.data import Variable, sample
from infomax.errors import InputError
from infomax.estimators import certificate
from infomax.estimators.basis_critic import basis_critic
from infomax.estimators.betting import best_stake, lower_limit
from infomax.estimators.certificate import _crossed, _of_two, _Play, block_scores, largest_limit
from infomax.estimators.entropy_limit import entropy_limit, most_entropy


def normal_pairs(n, rho, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)


def log_ratio_of(rho):
    """The critic that knows the truth."""

    def scores(x, y):
        u, v = x.values[:, 0], y.values[:, 0]
        return -0.5 * np.log(1 - rho**2) + (2 * rho * u * v - rho**2 * (u**2 + v**2)) / (2 * (1 - rho**2))

    return lambda known, rng: scores


def test_the_capital_is_fair_on_every_sequence_of_coins():
    """Exactly: over all sequences of 6 fair coins the limit is above ½ with probability at most delta."""
    coins = np.array(list(product([0.0, 1.0], repeat=6)))
    for share, delta in product((0.3, 0.9), (0.02, 0.3)):
        shares = np.full((6, 1), share)
        above = [lower_limit(flips, np.zeros(6), shares, delta) > 0.5 for flips in coins]
        assert np.mean(above) <= delta
    assert np.mean([lower_limit(f, np.zeros(6), np.full((6, 1), 0.5), 0.3) > 0.5 for f in coins]) > 0.02


def test_players_share_the_capital():
    values, floors = np.full(50, 1.0), np.zeros(50)
    one = lower_limit(values, floors, np.full((50, 1), 0.5), 0.05)
    half = lower_limit(values, floors, np.tile([0.5, 0.0], (50, 1)), 0.05)
    assert half < one
    assert half == pytest.approx(lower_limit(values, floors, np.full((50, 1), 0.5), 0.025), abs=3e-3)


def test_a_limit_where_nothing_can_be_won():
    assert lower_limit(np.empty(0), np.empty(0), np.empty((0, 1)), 0.05) == -np.inf
    assert lower_limit(np.zeros(5), np.zeros(5), np.full((5, 1), 0.5), 0.05) == -np.inf
    assert best_stake(np.zeros((1, 5)), np.zeros(1), 5, 0.05)[0] < 1e-5


def test_the_predicted_limit_is_that_of_the_same_values():
    rng = np.random.default_rng(0)
    values = rng.uniform(-1, 2, size=200)
    others = np.stack([rng.uniform(-4, 3, size=200), values])
    limit, way, share = best_stake(others, np.array([-4.0, -1.0]), 200, 0.05)
    assert way == 1
    assert limit == pytest.approx(lower_limit(values, np.full(200, -1.0), np.full((200, 1), share), 0.05), abs=1e-3)


def test_block_values_are_unbiased_for_the_variational_bound():
    """On a finite law: the mean over every block of two pairs is E f - E' exp f + 1, exactly."""
    joint = np.array([[0.3, 0.1], [0.05, 0.55]])
    f = np.array([[0.9, -2.0], [0.3, 5.0]])
    play = _Play(temper=0.5, shift=0.1, below=0.8, above=1.5, block=2, share=0.5)
    clipped = np.clip(0.5 * f - 0.1, -0.8, 1.5)
    chance = np.outer(joint.sum(1), joint.sum(0))
    truth = (joint * clipped).sum() - (chance * np.exp(clipped)).sum() + 1
    mean = 0.0
    for i, j, k, m in product(range(2), repeat=4):
        pairs = sample(np.array([float(i), k]), np.array([float(j), m]), discrete_x=False, discrete_y=False)

        def score(x, y):
            return f[x.values[:, 0].astype(int), y.values[:, 0].astype(int)]

        scores = block_scores(score, pairs, np.arange(2), 2)
        mean += joint[i, j] * joint[k, m] * play.values(scores)[0]
        assert play.values(scores)[0] >= play.floor
    assert mean == pytest.approx(truth, abs=1e-12)


def test_blocks_of_four_hold_two_blocks_of_two():
    x, y = normal_pairs(8, 0.5, 0)
    pairs, score = sample(x, y), log_ratio_of(0.5)(None, None)
    four = block_scores(score, pairs, np.arange(8), 4)
    two = block_scores(score, pairs, np.arange(8), 2)
    assert np.allclose(np.sort(_of_two(four).ravel()), np.sort(two.ravel()))
    assert np.allclose(_of_two(four)[[0, 2, 1, 3]], two)


@pytest.mark.parametrize(("make", "rho"), [("greedy", 0.3), ("memory", 0.8), ("true", 0.8)])
def test_limits_hold(make, rho):
    """20 samples, critics that overfit as far as they can: at most delta fail, by four standard errors."""
    delta, runs = 0.05, 20
    truth = -0.5 * np.log(1 - rho**2)

    def memory(known, rng):
        """Every pair that it has seen scores high."""
        seen = {(a, b) for a, b in zip(known.x.values[:, 0], known.y.values[:, 0], strict=True)}
        usual = log_ratio_of(rho)(known, rng)

        def scores(x, y):
            pairs = zip(x.values[:, 0], y.values[:, 0], strict=True)
            return usual(x, y) + np.array([3.0 if pair in seen else 0.0 for pair in pairs])

        return scores

    def greedy(known, rng):
        return lambda x, y: 3 * x.values[:, 0] * y.values[:, 0]

    critic = {"memory": memory, "greedy": greedy, "true": log_ratio_of(rho)}[make]
    draws = [(normal_pairs(400, rho, seed), seed) for seed in range(runs)]
    limits = [certificate(*pairs, delta=delta, critic=critic, random_state=seed).nats for pairs, seed in draws]
    failed = np.mean(np.array(limits) > truth)
    assert failed <= delta + 4 * np.sqrt(delta * (1 - delta) / runs)
    if make != "greedy":
        assert np.mean(np.array(limits) > 0) > 0.5


def test_a_certificate_bets_at_its_delta(monkeypatch):
    said = []
    room = sys.modules["infomax.estimators.certificate"]
    monkeypatch.setattr(room, "lower_limit", lambda *told: said.append(told[-1]) or lower_limit(*told))
    x, y = normal_pairs(300, 0.9, 0)
    certificate(x, y, delta=0.03, random_state=0)
    assert said == [0.03]


def test_a_stake_is_chosen_on_pairs_that_its_critic_has_not_seen():
    asked = []

    def critic(known, rng):
        seen = set(known.x.values[:, 0].tolist())

        def log_ratio(x, y):
            asked.append(seen & set(x.values[:, 0].tolist()))
            return np.zeros(len(x))

        return log_ratio

    x = np.arange(200) + 0.5
    _crossed(sample(x, x), critic, np.random.default_rng(0))
    assert asked
    assert not any(asked)


def test_independent_pairs_certify_nothing():
    limits = [certificate(*normal_pairs(200, 0.0, seed), random_state=seed).nats for seed in range(12)]
    assert np.sum(np.array(limits) > 0) <= 4  # 12 · 0.05 = 0.6, four standard errors above


def test_a_limit_is_worth_having():
    limit = certificate(*normal_pairs(2000, 0.93, 0), random_state=0)
    truth = -0.5 * np.log(1 - 0.93**2)  # 1.001
    assert 0.7 * truth < limit.nats < truth
    assert limit.nats < limit.largest
    assert limit.assumption == "none: any distribution, independent pairs"


def test_a_limit_of_sorted_pairs_is_worth_as_much():
    x, y = normal_pairs(1000, 0.9, 0)
    order = np.argsort(x)
    limit, of_sorted = (certificate(x[rows], y[rows], random_state=0).nats for rows in (np.arange(1000), order))
    assert of_sorted > 0.6 * limit  # other draws; in the order of x no part would be like the next


def test_a_better_critic_certifies_more():
    x, y = normal_pairs(1000, 0.9, 0)
    good, poor = (
        certificate(x, y, critic=critic, random_state=0).nats
        for critic in (log_ratio_of(0.9), lambda known, rng: lambda a, b: np.sign(a.values[:, 0] * b.values[:, 0]))
    )
    assert good > poor + 0.1 > 0.1


def test_largest_grows_like_log_n_and_is_reached_by_no_sample():
    ends = [largest_limit(n, 0.05) for n in (100, 1000, 10_000)]
    assert ends[0] < ends[1] < ends[2]
    assert ends[2] - ends[1] == pytest.approx(np.log(10), abs=0.8)
    x = np.random.default_rng(0).normal(size=1000)
    assert 1.5 < certificate(x, x, random_state=0).nats < ends[1]
    assert largest_limit(1000, 0.01) < ends[1]


@pytest.mark.parametrize("n", [2, 5, 39, 40])
def test_few_pairs_certify_little(n):
    limit = certificate(*normal_pairs(n, 0.5, 0), random_state=0)
    assert limit.nats == 0
    assert limit.largest >= 0


def test_constant_sides_certify_nothing():
    assert certificate(np.ones(100), np.arange(100.0)).nats == 0


def test_a_critic_that_breaks_down_is_no_danger():
    x, y = normal_pairs(200, 0.5, 0)
    limit = certificate(x, y, critic=lambda known, rng: lambda a, b: np.full(len(a), np.nan), random_state=0)
    assert limit.nats == 0
    limit = certificate(x, y, critic=lambda known, rng: lambda a, b: np.full(len(a), np.inf), random_state=0)
    assert limit.nats == 0


@pytest.mark.parametrize("delta", [0.0, 1.0, 5.0])
def test_a_delta_that_is_no_probability_is_refused(delta):
    with pytest.raises(InputError, match="delta"):
        certificate(*normal_pairs(100, 0.5, 0), delta=delta)


def test_the_same_seed_gives_the_same_limit():
    x, y = normal_pairs(300, 0.9, 0)
    assert certificate(x, y, random_state=1) == certificate(x, y, random_state=1)


@pytest.mark.parametrize("kind", ["table", "mixed", "wide", "parabola"])
def test_the_plain_critic_finds_what_is_there(kind):
    rng = np.random.default_rng(0)
    n = 3000
    x = rng.normal(size=n)
    if kind == "table":
        a = rng.integers(0, 3, n).astype(str)
        pairs = sample(a, np.where(rng.random(n) < 0.6, a, rng.integers(0, 3, n).astype(str)))
        truth = 0.8 * (np.log(3) + 0.7333 * np.log(0.7333) + 2 * 0.1333 * np.log(0.1333))
    elif kind == "mixed":
        pairs = sample(np.where(x + 0.1 * rng.normal(size=n) > 0, "up", "down"), x)
        truth = 0.4  # of 0.6 or so: ln 2 less the noise near zero
    elif kind == "wide":
        noise = rng.normal(size=(n, 6))
        both = rng.normal(size=(n, 6))
        pairs = sample(both, 0.6 * both + 0.8 * noise)
        truth = 0.8 * 6 * -0.5 * np.log(1 - 0.36)
    else:
        pairs = sample(x, x**2 + 0.3 * rng.normal(size=n))
        truth = 0.2  # of 0.85 or so
    fitted = basis_critic(pairs.rows(np.arange(n // 2)), rng)
    new = pairs.rows(np.arange(n // 2, n))
    scores = fitted(new.x, new.y)
    chance = fitted(new.x, new.y.rows(rng.permutation(len(new))))
    assert scores.mean() - np.log(np.exp(np.minimum(chance, 20)).mean()) > truth


def test_an_entropy_limit_holds_and_is_near():
    rng = np.random.default_rng(0)
    law = np.array([0.7, 0.2, 0.06, 0.04])
    truth = -(law * np.log(law)).sum()
    found = []
    for _ in range(50):
        codes = rng.choice(4, 400, p=law).astype(float)
        found.append(most_entropy(Variable(codes[:, None], np.array([True]), ("x",)), 0.1, rng))
    assert np.mean(np.array(found) < truth) <= 0.1 + 4 * 0.042
    assert np.mean(found) < truth + 0.25


def test_an_entropy_limit_is_at_most_that_of_even_levels():
    even = Variable((np.arange(30.0) % 3)[:, None], np.array([True]), ("x",))
    assert most_entropy(even, 0.05, np.random.default_rng(0)) == pytest.approx(np.log(3))


def test_an_entropy_limit_shares_its_delta_among_the_discrete_sides(monkeypatch):
    said = []
    room = sys.modules["infomax.estimators.entropy_limit"]
    monkeypatch.setattr(room, "most_entropy", lambda variable, delta, rng: said.append(delta) or 1.0)
    word, number = np.arange(20) % 2 == 0, np.arange(20) / 7
    rng = np.random.default_rng(0)
    assert entropy_limit(sample(word, word), 0.04, rng).confidence == pytest.approx(0.96)
    entropy_limit(sample(word, number), 0.04, rng)
    assert said == [0.02, 0.02, 0.04]


def test_the_lower_of_two_entropies_is_taken():
    rng = np.random.default_rng(0)
    many, few = rng.integers(0, 9, 2000).astype(str), (rng.random(2000) < 0.1)
    limit = entropy_limit(sample(many, few), 0.05, rng)
    assert limit is not None
    assert limit.nats < 0.42
    assert "entropy of y" in limit.assumption
    assert entropy_limit(sample(rng.normal(size=9), rng.normal(size=9)), 0.05, rng) is None


@pytest.mark.slow
def test_the_neural_critic_finds_what_is_there_and_falls_back_on_few_pairs():
    from infomax.estimators.certificate_critic import neural_critic

    rng = np.random.default_rng(0)
    x = rng.normal(size=(1200, 2))
    pairs = sample(x, (x**2).sum(1) + 0.3 * rng.normal(size=1200))
    fitted = neural_critic(pairs.rows(np.arange(800)), rng)
    new = pairs.rows(np.arange(800, 1200))
    scores, chance = fitted(new.x, new.y), fitted(new.x, new.y.rows(rng.permutation(400)))
    assert scores.shape == (400,)
    assert scores.mean() - np.log(np.exp(np.minimum(chance, 20)).mean()) > 0.5
    few = neural_critic(pairs.rows(np.arange(50)), rng)
    assert np.isfinite(few(new.x, new.y)).all()
