"""The quick test of independence: exact moments, its level, its power, and q-values."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from infomax.data import sample
from infomax.estimators.contingency import contingency_p_value, permutation_moments
from infomax.estimators.false_discovery import q_values
from infomax.estimators.independence import independence_test


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


def test_small_tables_with_rare_levels_are_permuted():
    x, y = np.repeat([0, 1], [4, 2]), np.repeat([0, 1], [4, 2])
    p = contingency_p_value([(x, y)], np.random.default_rng(4))
    assert abs(p - 1 / 15) < 4 * np.sqrt(1 / 15 / 9999)  # one of 15 ways to place the two
    assert contingency_p_value([(x, 0 * y)], np.random.default_rng(4)) == 1.0


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
