"""Discrete: the number, its error, what it refuses and what it warns of."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from sklearn.base import clone

from infomax import information as info
from infomax.data.samples import Sample, Variable
from infomax.errors import InputError
from infomax.estimators import Discrete
from infomax.information.entropy_estimators import miller_madow

RNG = np.random.default_rng


def column(values: np.ndarray, *, discrete: bool = True) -> Variable:
    values = np.asarray(values, dtype=float).reshape(len(values), -1)
    return Variable(values, np.full(values.shape[1], discrete), tuple(f"c{i}" for i in range(values.shape[1])))


def measure(x, y, z=None, correction="adjusted"):
    sample = Sample(column(x), column(y), None if z is None else column(z))
    return Discrete(correction).measure(sample, RNG(0))


def noisy(n: int, levels: int, kept: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    x = rng.integers(0, levels, n)
    return x, np.where(rng.random(n) < kept, x, rng.integers(0, levels, n))


def truth(levels: int, kept: float) -> float:
    return info.mutual_information((kept * np.eye(levels) + (1 - kept) / levels) / levels)


def table_of(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    table = np.zeros((x.max() + 1, y.max() + 1), dtype=int)
    np.add.at(table, (x, y), 1)
    return table


@pytest.mark.parametrize("correction", ["adjusted", "plug_in", "miller_madow", "chao_wang_jost", "james_stein", "nsb"])
def test_the_number_is_that_of_the_table(correction):
    x, y = noisy(300, 5, 0.5, RNG(0))
    expected = info.mutual_information_from_counts(table_of(x, y), correction)
    assert measure(x, y, correction=correction).nats == pytest.approx(expected, abs=1e-12)


def test_a_function_of_counts_is_a_correction_too():
    x, y = noisy(300, 5, 0.5, RNG(0))
    assert measure(x, y, correction=miller_madow).nats == measure(x, y, correction="miller_madow").nats
    named = Discrete(miller_madow)
    assert named.title == Discrete("miller_madow").title == "contingency table, miller-madow"
    assert named.citation == "Miller 1955"
    assert clone(named).get_params() == {"correction": miller_madow}


def test_local_terms_average_to_the_plug_in_value():
    x, y = noisy(300, 5, 0.5, RNG(0))
    z = RNG(1).integers(0, 3, 300)
    found = measure(x, y, z)
    table = np.zeros((5, 5, 3), dtype=int)
    np.add.at(table, (x, y, z), 1)
    assert found.local.mean() == pytest.approx(info.conditional_mutual_information(table / 300))
    assert found.details["plug_in"] == pytest.approx(found.local.mean())
    row = 17
    stratum = table[:, :, z[row]]
    ratio = stratum[x[row], y[row]] * stratum.sum() / (stratum[x[row]].sum() * stratum[:, y[row]].sum())
    assert found.local[row] == pytest.approx(log(ratio))


def test_names_of_levels_and_sides_do_not_matter():
    x, y = noisy(200, 4, 0.6, RNG(2))
    expected = measure(x, y)
    for other in (measure(y, x), measure((x + 1) % 4, 3 - y), measure(10 * x, 1000 - y)):
        assert other.nats == pytest.approx(expected.nats, abs=1e-12)
        assert other.standard_error == pytest.approx(expected.standard_error, abs=1e-12)


def test_several_columns_a_side_are_one_variable():
    """y = a XOR b: neither column tells, both together tell all."""
    a, b = RNG(3).integers(0, 2, (2, 400))
    both = np.column_stack([a, b])
    assert measure(both, a ^ b).nats == pytest.approx(log(2), abs=0.01)
    assert abs(measure(a, a ^ b).nats) < 0.01


def test_conditional_form():
    """A chain x - z - y leaves nothing given z; y = x XOR z shows nothing but given z."""
    rng = RNG(4)
    z = rng.integers(0, 3, 3000)
    x, y = (np.where(rng.random(3000) < 0.7, z, rng.integers(0, 3, 3000)) for _ in range(2))
    chain = measure(x, y, z)
    assert abs(chain.nats) < 2 * chain.standard_error < 0.02
    assert measure(x, y).nats > 0.05
    bits = rng.integers(0, 2, (2, 3000))
    assert measure(bits[0], bits[0] ^ bits[1], bits[1]).nats == pytest.approx(log(2), abs=0.01)
    assert abs(measure(bits[0], bits[0] ^ bits[1]).nats) < 0.01


def test_a_constant_tells_exactly_nothing():
    """scikit-learn issue 30772: 0.2146 nats of a constant feature about a target whose entropy is 0.001."""
    y = np.r_[1, np.zeros(9_999, dtype=int)]
    for correction in ("adjusted", "plug_in", "grassberger", "nsb"):
        assert measure(np.zeros(10_000), y, correction=correction).nats == 0.0
        assert Discrete(correction).estimate(np.zeros(10_000, dtype=int), y).nats == 0.0
    once = np.arange(10_000) % 2
    assert abs(measure(once, y).nats) < 1e-3


@pytest.mark.parametrize(("levels", "n", "samples"), [(2, 50, 60), (5, 100, 40), (40, 100, 20)])
def test_independent_columns_read_zero(levels, n, samples):
    rng = RNG(5)
    found = [measure(*rng.integers(0, levels, (2, n))) for _ in range(samples)]
    nats, errors = (np.array([getattr(one, part) for one in found]) for part in ("nats", "standard_error"))
    assert abs(nats.mean()) < 4 * nats.std() / np.sqrt(samples)
    assert (nats > 1.645 * errors).mean() <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / samples)


@pytest.mark.parametrize(("levels", "kept", "n"), [(3, 0.3, 300), (12, 0.6, 400)])
def test_intervals_cover(levels, kept, n):
    """95 % nominal: of 40 samples 38 on average, fewer than 34 once in 100 runs."""
    rng = RNG(6)
    covered = 0
    for _ in range(40):
        found = measure(*noisy(n, levels, kept, rng))
        covered += abs(found.nats - truth(levels, kept)) < 1.96 * found.standard_error
    assert covered >= 34


def test_the_standard_error_shrinks_as_it_should():
    """As 1 / sqrt(n) where there is information, as 1 / n where there is none."""
    few, many = (measure(*noisy(n, 4, 0.5, RNG(7))).standard_error for n in (1_000, 16_000))
    assert few / many == pytest.approx(4, rel=0.2)
    few, many = (
        np.mean([measure(*RNG(s).integers(0, 4, (2, n))).standard_error for s in range(10)]) for n in (1_000, 16_000)
    )
    assert few / many == pytest.approx(16, rel=0.3)
    for correction in ("adjusted", "plug_in"):
        x = np.arange(300) % 3
        assert measure(x, x, correction=correction).standard_error > 1e-3  # all log ratios are log 3


def test_a_sparse_table_is_warned_of():
    rng = RNG(8)
    few = measure(*rng.integers(0, 40, (2, 100)))
    assert [caution.kind for caution in few.cautions] == ["few samples"]
    assert "shuffled columns would show" in few.cautions[0].text
    assert not measure(*noisy(1000, 4, 0.5, rng)).cautions


def test_identifiers_say_nothing_and_need_no_table():
    """30,000 values a side, each once: a table of all pairs would take 7 GB."""
    order = RNG(9).permutation(30_000)
    found = measure(order, order[::-1])
    assert found.nats == 0
    assert [caution.kind for caution in found.cautions] == ["ceiling"]


def test_where_a_table_cannot_tell_the_interval_holds_all_that_can_be_shared():
    """A name for each row: its column may determine the other, or tell nothing of it."""
    found = Discrete().estimate([f"name {i}" for i in range(300)], ["a", "b", "c"] * 100, random_state=0)
    assert found.nats == 0
    assert found.interval.low <= 0
    assert found.interval.high == pytest.approx(np.log(3))


def test_one_and_two_pairs():
    assert measure([0], [0]).nats == 0
    assert measure([0, 1], [1, 0]).nats == 0


@pytest.mark.parametrize("side", ["x", "y", "given"])
def test_continuous_columns_are_refused(side):
    discrete, continuous = column([0, 1, 0, 1]), column([0.5, 1.5, 2.5, 3.5], discrete=False)
    sides = {name: continuous if name == side else discrete for name in ("x", "y", "given")}
    with pytest.raises(InputError, match=f"{side} has continuous columns .*discrete_{side}=True"):
        Discrete().measure(Sample(sides["x"], sides["y"], sides["given"]), RNG(0))


def test_an_unknown_correction_is_refused():
    with pytest.raises(InputError, match=r"one of adjusted, chao_shen.*; got 'none'"):
        measure([0, 1], [0, 1], correction="none")


def test_details():
    x, y = noisy(500, 3, 0.5, RNG(10))
    found = Discrete().estimate(x, y)
    assert found.details["levels"] == (3, 3)
    assert found.details["entropy_x"] == pytest.approx(log(3), abs=0.02)
    assert found.details["by_chance"] == pytest.approx(0, abs=2e-3)
    assert found.upper.nats <= log(3) + 1e-12
    assert found.interval.low < found.nats < found.interval.high


def test_the_standard_error_of_a_table_as_it_comes_is_that_of_its_log_ratios_and_of_chance():
    """√(var / n + (r - 1)(c - 1) / 2n²): the delta method, and half a chi-squared variable over n."""
    counts = np.array([[9, 4], [3, 7], [5, 6]])
    x, y = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    n, p = counts.sum(), counts / counts.sum()
    ratios = np.log(p / np.outer(p.sum(1), p.sum(0)))
    variance = (p * ratios**2).sum() - (p * ratios).sum() ** 2
    expected = np.sqrt(variance / n + (3 - 1) * (2 - 1) / (2 * n**2))
    assert measure(x, y, correction="plug_in").standard_error == pytest.approx(expected)
    strata = measure(
        np.tile(x, 2), np.tile(y, 2), np.repeat([0, 1], n), "plug_in"
    )  # twice the table, twice the freedom
    expected = np.sqrt(variance / (2 * n) + 2 * (3 - 1) * (2 - 1) / (2 * (2 * n) ** 2))
    assert strata.standard_error == pytest.approx(expected)


def test_each_side_is_told_with_its_own_entropy():
    x = RNG(11).integers(0, 8, 500)
    found, turned = measure(x, x % 2).details, measure(x % 2, x).details
    assert (found["entropy_x"], found["entropy_y"]) == (turned["entropy_y"], turned["entropy_x"])
    assert found["entropy_y"] <= log(2) + 0.01 < log(8) - 0.05 < found["entropy_x"]


def test_a_table_without_an_exception_says_what_unseen_ones_may_cost():
    """Bits flipped with probability 0.01: 37 of 100 samples of 100 pairs show no flip, and read 0.69 for 0.637 nats."""
    x = np.tile([0, 1], 50)
    found = {one: Discrete().estimate(x, y).cautions for one, y in (("same", x), ("flip", np.r_[1 - x[:1], x[1:]]))}
    (caution,) = found["same"]
    assert caution.kind == "no exceptions"
    cost = -0.03 * np.log(0.03) - 0.97 * np.log(0.97)  # 3 in 100 by the rule of three
    assert f"{cost:.2f} nats" in caution.text
    assert log(2) - cost < 0.637
    assert found["flip"] == ()
    assert Discrete().estimate(np.tile([0, 1, 2], 40), np.tile([0, 1, 1], 40)).cautions[0].kind == "no exceptions"
    assert Discrete().estimate(np.tile([0, 1], 5000), np.tile([0, 1], 5000)).cautions == ()
