"""What chance shows: exact over all permutations, scikit-learn's where it has the same, and the estimate without it."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from sklearn.metrics import adjusted_mutual_info_score
from sklearn.metrics.cluster import expected_mutual_information

from infomax import information as info
from infomax.information.chance import adjusted_for_chance
from infomax.information.contingency import of_pairs, of_table
from infomax.information.dealt import dealt_at_random
from infomax.information.entropy_estimators import n_log_n, schurmann_terms

SMALL = [
    (np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 1, 2])),
    (np.array([0, 1, 0, 1, 0, 1]), np.array([0, 0, 0, 1, 1, 1])),
    (np.array([0, 1, 2, 3, 0, 1]), np.array([0, 0, 1, 2, 3, 3])),
]


def table_of(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.bincount(x * (y.max() + 1) + y, minlength=(x.max() + 1) * (y.max() + 1)).reshape(x.max() + 1, -1)


def skewed(levels: int, n: int, rng: np.random.Generator) -> np.ndarray:
    p = 1 / np.arange(1, levels + 1)
    return rng.choice(levels, n, p=p / p.sum())


@pytest.mark.parametrize(("x", "y"), SMALL)
def test_expected_information_is_the_mean_over_all_permutations(x, y):
    every = [
        info.mutual_information_from_counts(table_of(x, y[list(order)]), "plug_in")
        for order in permutations(range(len(x)))
    ]
    assert info.expected_mutual_information(table_of(x, y)) == pytest.approx(np.mean(every), abs=1e-12)


@pytest.mark.parametrize(("x", "y"), SMALL)
def test_the_adjusted_estimate_is_0_on_average_over_all_permutations(x, y):
    """Exactly, for these margins, and so for independent variables of any law."""
    every = [adjusted_for_chance([of_pairs(x, y[list(order)])[0]]).nats for order in permutations(range(len(x)))]
    assert np.mean(every) == pytest.approx(0, abs=1e-12)
    assert np.std(every) > 0.01


@pytest.mark.parametrize(("levels", "n"), [((4, 3), 50), ((30, 2), 200), ((40, 60), 3_000), ((5, 5), 100_000)])
def test_expected_information_is_scikit_learns(levels, n):
    rng = np.random.default_rng(n)
    table = table_of(*(skewed(k, n, rng) for k in levels))
    with np.errstate(divide="ignore"):  # a level that is not there has margin 0, of which scikit-learn takes the log
        expected = expected_mutual_information(table, n)
    assert info.expected_mutual_information(table) == pytest.approx(expected, rel=1e-7, abs=1e-10)


@pytest.mark.parametrize("kind", ["min", "max", "arithmetic", "geometric"])
def test_adjusted_mutual_information_is_scikit_learns(kind):
    rng = np.random.default_rng(0)
    x = skewed(6, 80, rng)
    y = np.where(rng.random(80) < 0.5, x % 4, skewed(4, 80, rng))
    expected = adjusted_mutual_info_score(x, y, average_method=kind)
    assert info.adjusted_mutual_information(table_of(x, y), kind) == pytest.approx(expected, abs=1e-9)


def test_adjusted_mutual_information_at_its_ends():
    assert info.adjusted_mutual_information([[20, 0, 0], [0, 5, 0], [0, 0, 9]]) == pytest.approx(1)
    assert info.adjusted_mutual_information([[5, 5], [5, 5]]) < 0
    assert info.adjusted_mutual_information([[7], [3]]) == 0
    assert info.adjusted_mutual_information(np.eye(5, dtype=int)) == 0


@pytest.mark.parametrize("terms", [n_log_n, schurmann_terms])
@pytest.mark.parametrize(("levels", "n"), [((3, 3), 60), ((20, 20), 200), ((60, 60), 100), ((2, 25), 100)])
def test_mean_and_deviation_of_dealing_at_random(terms, levels, n):
    rng = np.random.default_rng(1)
    x, y = (skewed(k, n, rng) for k in levels)

    def shown(y: np.ndarray) -> float:
        seen, _ = of_pairs(x, y)
        sums = [terms(counts).sum() for counts in (seen.cells, seen.rows, seen.columns)]
        return float(np.log(n) + (sums[0] - sums[1] - sums[2]) / n)

    every = np.array([shown(rng.permutation(y)) for _ in range(1_000)])
    seen, _ = of_pairs(x, y)
    dealt = dealt_at_random(seen.rows, seen.columns, terms)
    assert dealt.mean == pytest.approx(every.mean(), abs=4 * every.std() / np.sqrt(1_000))
    assert 0.85 < dealt.deviation / every.std() < 1.2


def test_the_deviation_is_that_of_shuffling_within_strata():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 6, (2, 300))
    strata = np.arange(300) < 60, np.arange(300) >= 60

    def adjusted(y):
        return adjusted_for_chance([of_pairs(x[stratum], y[stratum])[0] for stratum in strata])

    def dealt():
        return adjusted(np.concatenate([rng.permutation(y[stratum]) for stratum in strata])).nats

    # of 400 draws the deviation is known to one in sqrt(800): more than three standard errors
    assert np.std([dealt() for _ in range(400)]) == pytest.approx(adjusted(y).deviation, rel=0.12)


def test_what_is_unsure_is_the_rule_that_is_stated():
    found = adjusted_for_chance([of_table([[12, 3, 2], [2, 11, 4], [3, 2, 10]])])
    part = found.nats / found.most
    assert 0.1 < part < 0.4
    assert found.unsure == pytest.approx(4 * part * (1 - part) * np.hypot(found.chance / 2, found.alternating))


@pytest.mark.parametrize("seed", range(20))
def test_never_above_what_can_be_shared(seed):
    rng = np.random.default_rng(seed)
    n, levels = int(rng.integers(2, 200)), rng.integers(1, 40, 2)
    x = rng.integers(0, levels[0], n)
    y = np.where(rng.random(n) < rng.random(), x, rng.integers(0, levels[1], n))
    found = adjusted_for_chance([of_pairs(x, y)[0]])
    assert found.nats <= found.most + 1e-12
    assert found.raw <= found.most + 1e-12
    assert found.deviation >= 0
    assert 0 <= found.unsure <= np.hypot(found.chance / 2, found.alternating) + 1e-12


def test_a_function_of_the_other_side_keeps_its_entropy():
    table = np.zeros((6, 3), dtype=int)
    table[np.arange(6), np.arange(6) % 3] = [30, 20, 10, 25, 5, 10]
    found = adjusted_for_chance([of_table(table)])
    assert found.nats == pytest.approx(found.most)
    assert found.most == pytest.approx(info.schurmann(table.sum(0)))
    assert found.unsure == pytest.approx(0, abs=1e-9)


def test_nothing_can_be_told_where_every_symbol_was_seen_once():
    found = adjusted_for_chance([of_table(np.eye(50, dtype=int))])
    assert found.nats == 0
    assert found.mute
    assert not adjusted_for_chance([of_table([[5, 0], [0, 5]])]).mute


def test_a_constant_side_has_nothing_to_hide():
    assert not adjusted_for_chance([of_table([[5, 3]])]).mute


@pytest.mark.parametrize("count", [10**5, 3 * 10**6, 10**8, 4 * 10**9, 10**11])
def test_chance_in_tables_of_large_counts(count):
    """An even two by two table: χ² of one degree of freedom over 2n, so 1/2n on average, but for 1/n² and rounding."""
    expected, n = info.expected_mutual_information(np.full((2, 2), count)), 4 * count
    rounding = 8 * np.log(n) * np.finfo(float).eps  # of entropies, which are at most log n
    assert abs(expected - 1 / (2 * n)) < 2 / n**2 + rounding
    assert abs(info.adjusted_mutual_information(np.full((2, 2), count))) < 2 / n


def test_too_little_room_is_no_lottery():
    """One value of x occurs twice, one row of y is different: so x determines y in 58 of 60 pairings."""
    x, y = np.r_[np.arange(59), 58], np.r_[1, np.zeros(59, dtype=int)]
    found = adjusted_for_chance([of_pairs(x, y)[0]])
    assert found.raw == pytest.approx(found.most)
    assert 0 < found.nats < 0.1 * found.most
    other = adjusted_for_chance([of_pairs(x, y[::-1])[0]])
    assert -2 * other.most < other.nats < 0


def test_independent_columns_of_many_levels():
    """40 x 40 levels, 120 pairs, 40 samples: 0 on average within 4 standard errors; entropies alone give 0.5 and more."""
    rng = np.random.default_rng(5)
    found = {"adjusted": [], "miller_madow": [], "grassberger": []}
    for _ in range(40):
        table = np.zeros((40, 40), dtype=int)
        np.add.at(table, (skewed(40, 120, rng), skewed(40, 120, rng)), 1)
        for method, values in found.items():
            values.append(info.mutual_information_from_counts(table, method))
    errors = {method: np.std(values) / 40**0.5 for method, values in found.items()}
    assert abs(np.mean(found["adjusted"])) < 4 * errors["adjusted"] < 0.1
    assert np.mean(found["miller_madow"]) > 1
    assert np.mean(found["grassberger"]) > 0.5
