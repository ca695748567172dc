"""The quick test of independence: exact moments, its level, its power, and q-values."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from infomax.data import sample
from infomax.estimators import contingency, independence
from infomax.estimators.contingency import contingency_p_value, permutation_moments
from infomax.estimators.false_discovery import q_values
from infomax.estimators.independence import independence_test
from infomax.estimators.sequential import sequential_p_value
from infomax.information.contingency import levels


@pytest.mark.parametrize(
    "margins", [([2, 5], [3, 4]), ([1, 2, 4], [2, 2, 3]), ([1, 1, 1, 4], [6, 1]), ([3, 3], [3, 3])]
)
def test_moments_are_those_of_all_permutations(margins):
    rows, columns = map(np.array, margins)
    x, y = (np.repeat(np.arange(len(margin)), margin) for margin in (rows, columns))
    expected = np.outer(rows, columns) / rows.sum()
    found = []
    for order in set(permutations(y.tolist())):  # equally likely, each as often as any other
        counts = np.zeros(expected.shape)
        np.add.at(counts, (x, np.array(order)), 1)
        found.append(((counts - expected) ** 2 / expected).sum())
    mean, variance = permutation_moments(rows, columns)
    assert mean == pytest.approx(np.mean(found), rel=1e-12)
    assert variance == pytest.approx(np.var(found), rel=1e-12)


def draws(rng, n):
    a, b = rng.normal(size=n), rng.standard_cauchy(n)
    word = rng.integers(0, 3, n).astype(str)
    other = rng.choice(list("abcdefgh"), n, p=[0.5, 0.2, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05])
    return {"numbers": (a, b), "rounded": (a.round(), b.round()), "number, word": (a, word), "words": (word, other)}


@pytest.mark.parametrize("n", [60, 400])
def test_independent_columns_are_found_dependent_at_most_as_often_as_the_level_says(n):
    rng, runs, level = np.random.default_rng(0), 100, 0.1
    rejected = dict.fromkeys(draws(rng, 5), 0)
    for _ in range(runs):
        for name, (x, y) in draws(rng, n).items():
            if n > 100 or name != "words":  # rare levels are permuted, which takes longer
                rejected[name] += independence_test(sample(x, y), rng).p_value <= level
    assert max(rejected.values()) <= runs * level + 4 * np.sqrt(runs * level * (1 - level))
    assert max(rejected.values()) > 0


def test_dependence_of_any_shape_is_found():
    rng, n = np.random.default_rng(1), 1000
    x, noise = rng.uniform(-1, 1, n), rng.normal(size=n)
    word = np.where(rng.random(n) < 0.5, "a", "b")
    shapes = {
        "weak trend": (x, x + 4 * noise),
        "parabola": (x, x**2 + 0.1 * noise),
        "wave": (x, np.sin(25 * x) + 0.1 * noise),
        "spread": (word, np.where(word == "a", 1.0, 2.0) * noise),
        "words": (word, np.where(rng.random(n) < 0.7, word, "b")),
    }
    for name, (x_side, y_side) in shapes.items():
        assert independence_test(sample(x_side, y_side), rng).p_value < 0.01, name


def test_given_words_the_comparison_is_within_them():
    rng, n = np.random.default_rng(2), 600
    group = rng.integers(0, 3, n)
    x, y = group + 0.5 * rng.normal(size=n), group + 0.5 * rng.normal(size=n)
    assert independence_test(sample(x, y), rng).p_value < 1e-6
    assert independence_test(sample(x, y, group.astype(str)), rng).p_value > 0.05
    assert independence_test(sample(x, x + rng.normal(size=n), group.astype(str)), rng).p_value < 1e-6


def test_it_knows_what_it_is_not_defined_on():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(50, 2))
    assert independence_test(sample(x, x[:, 0]), rng) is None
    assert independence_test(sample(x[:, 0], x[:, 1], rng.normal(size=50)), rng) is None


def flags(n, ones, shared=0):
    """Two columns of n rows with so many ones, some of them in the same rows."""
    x, y = np.zeros((2, n), dtype=np.int64)
    x[: ones[0]] = y[ones[0] - shared : ones[0] - shared + ones[1]] = 1
    return x, y


@pytest.mark.parametrize(
    ("n", "ones", "shared"), [(50_000, (5, 10), 0), (5001, (5, 150), 3), (60, (4, 6), 2), (9, (4, 4), 3)]
)
def test_a_table_of_two_by_two_is_read_exactly(n, ones, shared):
    """Over all tables with its margins the shared ones are hypergeometric."""
    law, mean = stats.hypergeom(n, *ones), ones[0] * ones[1] / n
    exact = sum(law.pmf(k) for k in range(min(ones) + 1) if abs(k - mean) >= abs(shared - mean))
    assert contingency_p_value([flags(n, ones, shared)], np.random.default_rng(0)) == pytest.approx(exact, rel=1e-9)


def test_a_column_that_can_only_differ_in_one_way_says_nothing():
    half = np.repeat([0, 1], 4000)
    one, names = np.zeros_like(half), np.arange(8000)
    one[3] = 1
    for x in (one, names):
        assert contingency_p_value([(x, half)], np.random.default_rng(0)) == 1.0


def test_small_tables_with_rare_levels_are_drawn():
    x, y = np.repeat([0, 1, 2], [4, 2, 1]), np.repeat([0, 1, 2], [4, 2, 1])
    p = contingency_p_value([(x, y)], np.random.default_rng(4))
    assert abs(p - 1 / 105) < 4 * np.sqrt(1 / 105 / 9999)  # one of 7! / (4! 2! 1!) ways to place the levels
    assert contingency_p_value([(x, 0 * y)], np.random.default_rng(4)) == 1.0


def test_p_is_the_draws_own_down_to_the_least_that_they_can_give():
    """Rare levels put together would be told apart 200 times as surely as the table is."""
    level = np.repeat([0, 1, 2], [12, 48, 240])
    near = np.roll(level, 60)
    table = contingency._Table(level, near)
    drawn = contingency._drawn([table.counts], 20_000, np.random.default_rng(0))
    share = np.mean(drawn >= contingency._statistic(table.counts) * (1 - 1e-9))
    p = contingency_p_value([(level, near)], np.random.default_rng(1))
    assert contingency._gamma_tail([table.pooled()]) < 1e-4 < 0.001 < share
    assert abs(p - share) < 4 * np.sqrt(share * (1 / 9999 + 1 / 20_000))
    assert contingency_p_value([(level, level)], np.random.default_rng(1)) < 1e-30


def test_all_strata_count():
    rng = np.random.default_rng(0)
    strata = [(rng.integers(6, size=20), rng.integers(6, size=20)) for _ in range(5)]
    assert contingency_p_value(strata, np.random.default_rng(1)) > 0.5
    alike = [(x, x) for x, _ in strata]
    assert contingency_p_value([*alike[:2], *strata[2:]], np.random.default_rng(1)) < 0.001


def test_x2_from_the_pairs_that_there_are_is_that_of_the_table():
    rng = np.random.default_rng(0)
    for r, c, n in ((2, 3, 10), (5, 4, 200), (30, 40, 500)):
        x, y = rng.integers(r, size=n), rng.integers(c, size=n)
        table = contingency._Table(levels(x)[0], levels(y)[0])
        expected = stats.contingency.expected_freq(table.counts)
        assert table.statistic == pytest.approx(((table.counts - expected) ** 2 / expected).sum(), rel=1e-12)


def zipf(rng, n, levels):
    weights = 1 / np.arange(1, levels + 1)
    return rng.choice(levels, n, p=weights / weights.sum())


def test_rare_levels_of_a_large_table_are_put_together():
    """As few as make the gamma law fit; what is shared by the frequent ones is still seen."""
    rng = np.random.default_rng(1)
    x, y = zipf(rng, 20_000, 3000), zipf(rng, 20_000, 1000)
    pooled = contingency._Table(levels(x)[0], levels(y)[0]).pooled()
    assert pooled.calm
    assert min(pooled.shape) > 10
    assert min(margin.min() for margin in pooled.margins) ** 2 > 0.05 * 20_000
    assert contingency_p_value([(x, y)], rng) > 0.01
    assert contingency_p_value([(x, np.where(rng.random(len(x)) < 0.1, x % 1000, y))], rng) < 1e-9
    names = np.arange(20_000)
    assert contingency_p_value([(names, rng.permutation(names))], rng) == 1.0


def zero_inflated(rng, n, others):
    x = np.zeros(n)
    x[rng.choice(n, others, replace=False)] = 3 + rng.random(others)
    return x


@pytest.mark.parametrize(
    "draw",
    [
        lambda rng: (zero_inflated(rng, 200, 5), zero_inflated(rng, 200, 5)),
        lambda rng: (zero_inflated(rng, 500, 8), flags(500, (10, 0))[0].astype(str)),
        lambda rng: (rng.choice(list("abc"), 3000, p=[0.02, 0.03, 0.95]), rng.choice(list("ab"), 3000, p=[0.01, 0.99])),
        lambda rng: (rng.permutation(flags(8000, (2, 0))[0]).astype(str), rng.integers(5, size=8000).astype(str)),
    ],
)
def test_rare_values_are_not_taken_for_dependence(draw):
    rng, runs, level = np.random.default_rng(4), 200, 0.05
    p = np.array([independence_test(sample(*draw(rng)), rng).p_value for _ in range(runs)])
    assert (p <= level).sum() <= runs * level + 4 * np.sqrt(runs * level * (1 - level))
    assert (p <= 0.01).sum() <= runs * 0.01 + 4 * np.sqrt(runs * 0.01)


def test_tests_on_ranks_are_those_of_scipy_where_their_laws_hold():
    rng, n = np.random.default_rng(6), 300
    x, y, word = rng.normal(size=n), rng.normal(size=n).round(1), rng.integers(3, size=n)
    found = independence._rank_p_value(x, y, (True, True), rng)
    assert found == pytest.approx(2 * stats.norm.sf(abs(stats.spearmanr(x, y)[0]) * np.sqrt(n - 1)), rel=1e-9)
    for sides, continuous in (((y, word), (True, False)), ((word, y), (False, True))):
        found = independence._rank_p_value(*sides, continuous, rng)
        assert found == pytest.approx(stats.kruskal(*(y[word == k] for k in range(3))).pvalue, rel=1e-9)


def test_heavy_ties_are_permuted_and_left_to_the_tables_where_rows_are_many():
    """Two rare values in one row: by chance in 1 - C(195, 5) / C(200, 5) of all pairings, whatever their ranks."""
    rng = np.random.default_rng(7)
    x, y = np.zeros((2, 200))
    x[:5] = y[4:9] = 1
    exact = stats.hypergeom(200, 5, 5).sf(0)
    standard_error = exact * np.sqrt((1 - exact) / 200)  # of a p-value that stops at the 200th draw
    assert abs(independence._rank_p_value(x, y, (True, True), rng) - exact) < 4 * standard_error
    assert abs(independence._rank_p_value(x, y, (True, False), rng) - exact) < 4 * standard_error
    x, y = np.zeros((2, 6000))
    x[:5] = y[4:9] = 1
    assert independence._rank_p_value(x, y, (True, True), rng) == 1.0
    assert independence._rank_p_value(x, y, (True, False), rng) == 1.0


def test_draws_stop_once_enough_reach_what_was_seen():
    """Besag and Clifford: at level a the p-value is at most a in a share a of experiments, at any stop."""
    rng, drawn = np.random.default_rng(8), []

    def draw(k):
        drawn.append(k)
        return rng.random(k)

    assert sequential_p_value(draw, 0.0) == 1.0
    assert sum(drawn) == 500
    drawn.clear()
    assert sequential_p_value(draw, 2.0) == 1e-4
    assert sum(drawn) == 9999
    p = np.array([sequential_p_value(rng.random, u) for u in rng.random(2000)])
    for level in (0.01, 0.05, 0.2, 0.5):
        assert abs(np.mean(p <= level) - level) < 4 * np.sqrt(level * (1 - level) / 2000)


def test_q_values_by_hand():
    assert q_values([0.01, 0.02, 0.03, 0.5]) == pytest.approx([0.04, 0.04, 0.04, 0.5])
    assert q_values([0.02, 0.021, 0.5]) == pytest.approx([0.0315, 0.0315, 0.5])
    assert q_values([0.9, None, 0.001]) == pytest.approx([0.9, None, 0.002])
    assert q_values([]) == []


def test_the_false_discovery_rate_is_kept():
    rng, shares = np.random.default_rng(5), []
    for _ in range(300):
        p = np.concatenate([rng.random(30), rng.random(10) * 1e-3])
        found = np.array(q_values(p.tolist())) <= 0.1
        shares.append(found[:30].sum() / max(found.sum(), 1))
    assert 0.03 < np.mean(shares) < 0.1 + 4 * np.std(shares) / np.sqrt(300)
