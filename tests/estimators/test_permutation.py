"""Permutation tests: what is kept together, what is exchanged, and that p-values are uniform where there is no dependence."""

import numpy as np
import pytest

from infomax.data import sample
from infomax.errors import InputError
from infomax.estimators import KSG, GaussianCopula
from infomax.estimators.inference import estimate_sample
from infomax.estimators.permutation import (
    _near,
    null_pairings,
    p_value,
    shuffled_blocks,
    shuffled_nearby,
    shuffled_within,
)


def correlation(pairs, rng):
    return abs(np.corrcoef(pairs.x.values[:, 0], pairs.y.values[:, 0])[0, 1])


def test_p_counts_the_observed_itself():
    pairs = sample(np.arange(10.0), np.arange(10.0) + 0.5)
    assert p_value(correlation, pairs, 2.0, permutations=19, rng=np.random.default_rng(0)) == 1 / 20
    assert p_value(correlation, pairs, -1.0, permutations=19, rng=np.random.default_rng(0)) == 1.0


def test_equal_values_count_against():
    pairs = sample(np.arange(10.0), np.arange(10.0) + 0.5)
    noise = iter(1.0 + 1e-15 * (-1) ** np.arange(100))
    assert p_value(lambda *_: next(noise), pairs, 1.0, permutations=9, rng=np.random.default_rng(0)) == 1.0


def test_p_is_uniform_under_independence():
    rng = np.random.default_rng(0)
    found = []
    for _ in range(300):
        pairs = sample(rng.normal(size=12), rng.normal(size=12))
        found.append(p_value(correlation, pairs, correlation(pairs, rng), permutations=4, rng=rng))
    counts = np.bincount(np.round(np.array(found) * 5).astype(int), minlength=6)[1:]
    assert counts.sum() == 300
    assert ((counts - 60) ** 2 / 60).sum() < 18.5  # χ² with 4 degrees of freedom, 0.1 %


def test_blocks_keep_the_level_on_a_series_where_single_shuffles_do_not():
    rng = np.random.default_rng(1)
    rejected = {1: 0, 40: 0}
    for _ in range(40):
        steps = rng.normal(size=(2, 400))
        x, y = (np.convolve(step, 0.9 ** np.arange(60))[:400] for step in steps)
        pairs = sample(x, y)
        for block in rejected:
            p = p_value(correlation, pairs, correlation(pairs, rng), permutations=19, block=block, rng=rng)
            rejected[block] += p <= 0.05
    assert rejected[1] > 13
    assert rejected[40] <= 7  # 40 · 0.05 = 2, four standard errors above


def test_blocks_are_whole_but_at_the_cut():
    shuffled = shuffled_blocks(20, 5, np.random.default_rng(3))
    assert sorted(shuffled) == list(range(20))
    steps = np.diff(np.append(shuffled, shuffled[0])) % 20
    assert (steps == 1).sum() >= 16
    starts = {int(shuffled_blocks(20, 5, np.random.default_rng(seed))[0]) % 5 for seed in range(30)}
    assert starts == {0, 1, 2, 3, 4}


def test_strata_are_kept():
    strata = np.array([2, 0, 1, 0, 2, 2, 0, 1, 0])
    seen = set()
    for seed in range(20):
        positions = shuffled_within(strata, np.random.default_rng(seed))
        assert sorted(positions) == list(range(9))
        assert (strata[positions] == strata).all()
        seen.add(tuple(positions))
    assert len(seen) > 15


def test_neighbours_are_used_once_where_they_can_be():
    near = [np.array([0, 1]), np.array([0, 1]), np.array([2, 3]), np.array([2, 3])]
    for seed in range(10):
        positions = shuffled_nearby(near, np.random.default_rng(seed))
        assert sorted(positions[:2]) == [0, 1]
        assert sorted(positions[2:]) == [2, 3]
    assert shuffled_nearby([np.array([0]), np.array([0])], np.random.default_rng(0)).tolist() == [0, 0]


@pytest.mark.parametrize("kind", ["continuous", "discrete", "mixed"])
def test_given_stays_with_x_and_y_moves_only_among_like(kind):
    rng = np.random.default_rng(0)
    level = rng.integers(0, 3, 300)
    z = {
        "continuous": rng.normal(size=300),
        "discrete": level.astype(str),
        "mixed": {"level": level.astype(str), "number": rng.normal(size=300)},
    }[kind]
    pairs = sample(rng.normal(size=300), rng.normal(size=300), given=z)
    positions = null_pairings(pairs)(rng)
    assert (positions != np.arange(300)).mean() > 0.6
    if kind != "continuous":
        assert (level[positions] == level).all()
    if kind != "discrete":
        number = z if kind == "continuous" else z["number"]
        assert np.median(np.abs(number[positions] - number)) < 0.08


def test_conditional_independence_is_not_rejected_where_dependence_is():
    rng = np.random.default_rng(0)
    z = rng.normal(size=250)
    x, y = z + 0.5 * rng.normal(size=250), z + 0.5 * rng.normal(size=250)
    marginal, given = sample(x, y), sample(x, y, given=z)
    observed = correlation(marginal, rng)
    assert p_value(correlation, marginal, observed, permutations=99, rng=rng) == 0.01
    assert p_value(correlation, given, observed, permutations=99, rng=rng) > 0.05


def test_blocks_that_cannot_be_are_refused():
    with pytest.raises(InputError, match="fewer than 3 blocks"):
        null_pairings(sample(np.arange(10.0), np.arange(10.0)), 4)
    with pytest.raises(InputError, match="not both"):
        null_pairings(sample(np.arange(10.0), np.arange(10.0), given=np.arange(10.0)), 2)


def test_near_are_the_five_of_the_stratum_that_are_nearest_in_ranks():
    """Runge 2018: the k = 5 nearest in the maximum norm of the ranks of z, oneself among them; all where there are fewer."""
    rng = np.random.default_rng(2)
    level = np.append(rng.integers(0, 2, 117), [2, 2, 2])
    one, other = rng.normal(size=120), np.exp(5 * rng.normal(size=120))
    pairs = sample(rng.normal(size=120), rng.normal(size=120), given={"l": level.astype(str), "a": one, "b": other})
    ranks = np.stack([column.argsort().argsort() for column in (one, other)])
    apart = np.abs(ranks[:, :, None] - ranks[:, None]).max(0)
    for row, near in enumerate(_near(pairs.z)):
        alike = level == level[row]
        assert alike[near].all()
        assert len(set(near)) == min(5, alike.sum())
        assert (
            sorted(apart[row, near]) == sorted(apart[row, alike])[:5]
        )  # distances, as equal ones may come in any order


def test_a_pairing_that_the_method_cannot_read_counts_as_reached():
    """KSG refuses ties that the pairs as observed do not have: the estimate stands, and p errs to the safe side."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(2, 100))
    x[:20] = y[20:40] = 0
    found = KSG().estimate(x, y, permutations=19, random_state=0)
    assert found.nats == KSG().estimate(x, y, random_state=0).nats
    assert found.p_value > 0.05


@pytest.mark.parametrize("permutations", [np.int8(127), np.uint8(255)])
def test_small_integers_of_numpy_do_not_overflow(permutations):
    x, y = np.random.default_rng(0).normal(size=(2, 50))
    p = estimate_sample(GaussianCopula(), sample(x, x + y), permutations=permutations, random_state=0).p_value
    assert p == pytest.approx(1 / (1 + int(permutations)))
