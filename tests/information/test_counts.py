"""Entropy and mutual information from counts: each estimator against its formula written out, and its bias against the truth."""

from __future__ import annotations

from math import exp, inf, log

import numpy as np
import pytest
from scipy import integrate
from scipy.special import digamma, gammaln, polygamma

from infomax import information as info
from infomax.errors import InputError
from infomax.information.entropy_estimators import _tail, shrunk_frequencies
from infomax.information.nsb import chao1

ESTIMATORS = [
    info.chao_shen,
    info.chao_wang_jost,
    info.grassberger,
    info.james_stein,
    info.miller_madow,
    info.nsb,
    info.plug_in,
    info.schurmann,
]
COUNTS = np.array([7, 4, 2, 2, 1, 1, 1, 3, 12])


def zipf(k: int) -> np.ndarray:
    p = 1 / np.arange(1, k + 1)
    return p / p.sum()


def test_miller_madow_written_out():
    p = COUNTS / COUNTS.sum()
    assert info.miller_madow(COUNTS) == pytest.approx(-sum(p * np.log(p)) + 8 / (2 * 33))


def test_grassberger_by_his_recurrence():
    """G(1) = -γ - log 2, G(2) = G(1) + 2, G(2m + 1) = G(2m), G(2m + 2) = G(2m) + 2 / (2m + 1)."""
    g = {1: -np.euler_gamma - log(2), 2: 2 - np.euler_gamma - log(2)}
    for m in range(1, 10):
        g[2 * m + 1] = g[2 * m]
        g[2 * m + 2] = g[2 * m] + 2 / (2 * m + 1)
    expected = log(33) - sum(n * g[n] for n in COUNTS.tolist()) / 33
    assert info.grassberger(COUNTS) == pytest.approx(expected, abs=1e-12)


def test_schurmann_by_his_integral():
    def g(n: int) -> float:
        part, _ = integrate.quad(lambda t: t ** (n - 1) / (1 + t), 0, exp(0.5) - 1)
        return float(digamma(n)) + (-1) ** n * part

    expected = log(33) - sum(n * g(n) for n in COUNTS.tolist()) / 33
    assert info.schurmann(COUNTS) == pytest.approx(expected, abs=1e-10)
    assert info.schurmann([200, 100]) == pytest.approx(log(300) - (200 * digamma(200) + 100 * digamma(100)) / 300)


def test_chao_shen_written_out():
    n, total = 33, 0.0
    for count in COUNTS.tolist():
        p = (1 - 3 / n) * count / n
        total -= p * log(p) / (1 - (1 - p) ** n)
    assert info.chao_shen(COUNTS) == pytest.approx(total)


@pytest.mark.parametrize("counts", [COUNTS, [1, 1, 1], [5, 1], [2, 2, 1], [30, 1, 1, 2], [9, 9], [1, 1]])
def test_chao_wang_jost_as_its_authors_write_it(counts):
    counts = np.array(counts)
    n, once, twice = int(counts.sum()), int((counts == 1).sum()), int((counts == 2).sum())
    expected = sum(c / n * sum(1 / k for k in range(c, n)) for c in counts.tolist())
    if once:
        a = 2 * twice / ((n - 1) * once + 2 * twice) if twice else 2 / ((n - 1) * (once - 1) + 2)
        tail = 0.0 if a == 1 else (1 - a) ** (1 - n) * (-log(a) - sum((1 - a) ** r / r for r in range(1, n)))
        expected += once / n * tail
    assert info.chao_wang_jost(counts) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("n", "once"), [(3_000, 1), (3_000, 40), (3_000, 1_500)])
def test_the_tail_of_chao_wang_jost_joins_its_two_computations(n, once):
    """Where 1 - A is near 1 the formula as written is still right in double precision, and another route is taken."""
    counts = np.r_[np.ones(once, dtype=int), 2, n - once - 2]
    a = 2 / ((n - 1) * once + 2)
    r = np.arange(1, n)
    tail = exp((1 - n) * np.log1p(-a)) * (-log(a) - ((1 - a) ** r / r).sum())
    expected = (counts * (digamma(n) - digamma(counts))).sum() / n + once / n * tail
    assert info.chao_wang_jost(counts) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("n", "rare"), [(2, 9e-4), (3, 5e-4), (20, 9e-4)])
def test_the_tail_of_few_draws_is_its_sum(n, rare):
    """Up to the first term of Euler and Maclaurin's formula that is left out, 1 / (252 n^6); the last taken is 1 / (120 n^4)."""
    j = np.arange(int(60 / rare))
    assert _tail(n, rare) == pytest.approx(((1 - rare) ** (j + 1) / (n + j)).sum(), abs=1 / (252 * n**6) + 1e-12)


def test_entropy_is_by_default_that_of_chao_wang_and_jost():
    assert info.entropy_from_counts(COUNTS) == info.chao_wang_jost(COUNTS)


def test_james_stein_has_the_least_estimated_error():
    """λ minimises the sum of variance and squared bias estimated from the counts; nothing to shrink where uniform."""
    n, size = 33, 12
    p = np.r_[COUNTS / n, np.zeros(3)]
    weights = np.linspace(0, 1, 100_001)
    risk = (1 - weights) ** 2 * (1 - (p**2).sum()) / (n - 1) + weights**2 * (
        ((1 / size - p) ** 2).sum() - (1 - (p**2).sum()) / (n - 1)
    )
    best = weights[risk.argmin()]
    shrunk = best / size + (1 - best) * p
    assert info.james_stein(COUNTS, size) == pytest.approx(-(shrunk * np.log(shrunk)).sum(), abs=1e-4)
    assert info.james_stein([3, 3, 3]) == pytest.approx(log(3))


@pytest.mark.parametrize("counts", [[2, 1], [3, 1, 1], [4, 3, 2, 1], [3, 2, 1, 1], [4, 2], [5, 3]])
def test_shrinking_goes_no_further_than_uniform(counts):
    shrunk, _ = shrunk_frequencies(np.array(counts), len(counts))
    assert (np.diff(shrunk) <= 1e-15).all()  # in the order of the counts, but for rounding


@pytest.mark.parametrize(("counts", "size"), [([7, 2, 1], 3), ([3, 1, 1], 20), ([2, 2], 2), ([40, 1], 5)])
def test_nsb_by_quadrature(counts, size):
    counts = np.array(counts)
    n = counts.sum()

    def log_weight(t: float) -> float:
        b = exp(t)
        rising = (gammaln(counts + b) - gammaln(b)).sum() - (gammaln(n + size * b) - gammaln(size * b))
        return rising + log(size * polygamma(1, size * b + 1) - polygamma(1, b + 1)) + t

    def mean(t: float) -> float:
        b, every = exp(t), np.r_[counts, np.zeros(size - len(counts))]
        shares = (every + b) / (n + size * b)
        return digamma(n + size * b + 1) - (shares * digamma(every + b + 1)).sum()

    peak = max(log_weight(t) for t in np.linspace(-12, 10, 200))
    limits, knots = (-25, 12), {"points": np.linspace(-10, 8, 10), "limit": 400}
    top = integrate.quad(lambda t: exp(log_weight(t) - peak) * mean(t), *limits, **knots)[0]
    assert info.nsb(counts, size) == pytest.approx(
        top / integrate.quad(lambda t: exp(log_weight(t) - peak), *limits, **knots)[0], abs=1e-5
    )


@pytest.mark.parametrize("size", [2, 10, 1_000, 10**6])
def test_nsb_of_one_draw_is_half_the_log_of_the_alphabet(size):
    """One draw says nothing, and the prior is flat between 0 and log K."""
    assert info.nsb([1], size) == pytest.approx(log(size) / 2, abs=1e-6)


def test_nsb_takes_the_symbols_of_chao1_where_none_are_told():
    counts = [5, 2, 1, 1, 1]
    assert chao1(counts) == 5 + 3 * 2 // (2 * 2)
    assert info.nsb(counts) == info.nsb(counts, 6) != info.nsb(counts, 5)


def test_biases_on_a_thousand_zipf_symbols():
    """500 draws from 1,000 symbols, true 5.191: mean errors over 60 samples, within four standard errors of long runs."""
    p, rng = zipf(1000), np.random.default_rng(3)
    truth = info.entropy(p)
    assert truth == pytest.approx(5.191, abs=5e-4)
    draws = rng.multinomial(500, p, size=60)
    known = {
        "plug_in": -0.63,
        "miller_madow": -0.42,
        "grassberger": -0.22,
        "schurmann": -0.25,
        "chao_shen": -0.18,
        "chao_wang_jost": -0.10,
    }
    for name, bias in known.items():
        errors = [info.entropy_from_counts(counts, name) - truth for counts in draws]
        assert np.mean(errors) == pytest.approx(bias, abs=4 * np.std(errors) / np.sqrt(60) + 0.01), name
    errors = [info.nsb(counts, 1000) - truth for counts in draws]
    assert np.mean(errors) == pytest.approx(-0.10, abs=4 * np.std(errors) / np.sqrt(60) + 0.01)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_enough_draws_agree_with_the_truth(estimator):
    p = np.array([0.5, 0.25, 0.125, 0.125])
    counts = (p * 8_000_000).astype(int)
    assert estimator(counts) == pytest.approx(info.entropy(p), abs=1e-5)


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_order_zeros_and_shape_do_not_matter(estimator):
    expected = estimator(COUNTS)
    assert estimator(np.r_[0, COUNTS[::-1], 0]) == pytest.approx(expected)
    assert estimator(COUNTS.reshape(3, 3)) == pytest.approx(expected)
    assert info.entropy_from_counts(COUNTS.tolist(), estimator.__name__) == pytest.approx(expected)
    assert info.entropy_from_counts(COUNTS, estimator, base=2) == pytest.approx(expected / log(2))


@pytest.mark.parametrize("estimator", ESTIMATORS)
@pytest.mark.parametrize(
    "counts", [[1], [1, 1], [10**9, 1], [1] * 50, [10**7] * 3, np.r_[10**7, np.ones(3000, dtype=int)]]
)
def test_extreme_counts_stay_finite(estimator, counts):
    assert np.isfinite(estimator(counts))


def test_a_larger_alphabet_raises_the_estimates_that_use_it():
    for estimator in (info.nsb, info.james_stein):
        assert estimator(COUNTS, 9) < estimator(COUNTS, 50) < estimator(COUNTS, 500)
    assert info.plug_in(COUNTS, 500) == info.plug_in(COUNTS)


TABLE = np.array([[8, 1, 0, 3], [0, 5, 1, 2], [2, 0, 6, 1], [0, 0, 0, 0]])


@pytest.mark.parametrize("estimator", [e for e in ESTIMATORS if e is not info.james_stein])
def test_information_from_counts_is_the_entropies_sum(estimator):
    x, y = TABLE.sum(1), TABLE.sum(0)
    expected = estimator(x, 3 if estimator is info.nsb else None) + estimator(y) - estimator(TABLE, 12)
    if estimator is info.nsb:
        expected = estimator(x, 3) + estimator(y, 4) - estimator(TABLE, 12)
    assert info.mutual_information_from_counts(TABLE, estimator.__name__) == pytest.approx(expected)
    assert info.mutual_information_from_counts(TABLE.T, estimator) == pytest.approx(expected)


def test_james_stein_information_is_that_of_one_shrunk_table():
    table = TABLE[:3]
    n = table.sum()
    p = table / n
    weight = (1 - (p**2).sum()) / ((n - 1) * ((1 / 12 - p) ** 2).sum())
    shrunk = weight / 12 + (1 - weight) * p
    assert info.mutual_information_from_counts(TABLE, "james_stein") == pytest.approx(info.mutual_information(shrunk))


def test_plug_in_information_is_that_of_the_frequencies():
    p = TABLE / TABLE.sum()
    assert info.mutual_information_from_counts(TABLE, "plug_in") == pytest.approx(info.mutual_information(p))
    assert info.mutual_information_from_counts(TABLE, "plug_in", base=2) == pytest.approx(
        info.mutual_information(p, base=2)
    )


@pytest.mark.parametrize("method", ["plug_in", "miller_madow", "adjusted"])
def test_conditional_information_from_counts(method):
    """Of independent strata; an empty one counts for nothing; plug-in is that of the frequencies."""
    table = np.random.default_rng(0).integers(0, 9, (3, 4, 2))
    table = np.concatenate([table, np.zeros((3, 4, 1), dtype=int)], axis=2)
    found = info.conditional_mutual_information_from_counts(table, method)
    if method == "plug_in":
        assert found == pytest.approx(info.conditional_mutual_information(table / table.sum()))
    if method == "miller_madow":
        n = table.sum((0, 1))
        parts = [info.mutual_information_from_counts(table[:, :, i], method) for i in (0, 1)]
        assert found == pytest.approx(np.dot(parts, n[:2]) / n.sum())
    same = info.conditional_mutual_information_from_counts(table[:, :, :1], method)
    assert same == pytest.approx(info.mutual_information_from_counts(table[:, :, 0], method))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: info.entropy_from_counts([0.5, 0.5]), "use `entropy`"),
        (lambda: info.entropy_from_counts([3, -1]), "must not be negative; the least is -1"),
        (lambda: info.entropy_from_counts(np.full(2, 2**63, np.uint64)), "at most 9,007,199,254,740,992"),
        (lambda: info.entropy_from_counts(np.ma.masked_array([1, 2], mask=[0, 1])), "masked entries"),
        (lambda: info.entropy_from_counts([3, inf]), "finite whole numbers"),
        (lambda: info.entropy_from_counts([0, 0]), "all counts are zero"),
        (lambda: info.entropy_from_counts([]), "at least one number"),
        (lambda: info.entropy_from_counts(["a"]), "must be whole numbers"),
        (lambda: info.entropy_from_counts([[1, 2], [3]]), "different lengths"),
        (lambda: info.entropy_from_counts([1, 2], "shannon"), "one of chao_shen, .*; got 'shannon'"),
        (lambda: info.entropy_from_counts([1, 2], alphabet=1), "at least the 2 symbols that were seen; got 1"),
        (lambda: info.mutual_information_from_counts([1, 2]), "two axes"),
        (lambda: info.mutual_information_from_counts([[1, 2]], "x"), "one of adjusted, chao_shen"),
        (lambda: info.conditional_mutual_information_from_counts([[1, 2]]), "three axes"),
    ],
)  # fmt: skip
def test_counts_refuse(call, message):
    with pytest.raises(InputError, match=message):
        call()
