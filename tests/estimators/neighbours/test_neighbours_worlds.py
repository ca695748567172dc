"""Nearest neighbours on worlds whose information is known, and the laws that an estimate keeps whatever the world."""

from __future__ import annotations

import sys
from functools import partial
from math import log
from pathlib import Path

import numpy as np
import pytest
from scipy.special import digamma
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression

sys.path.insert(0, str(Path(__file__).parent))
from brute_force import pairs

from infomax.data.samples import Sample
from infomax.estimators import KSG, MixedKSG, Ross

K_ERRORS = 4


def nats(estimator, sample: Sample) -> float:
    return estimator.measure(sample, np.random.default_rng(0)).nats


def close_to(truth: float, estimator, draw, *, bias: float = 0.0, repeats: int = 10) -> None:
    """The mean over samples is within 4 of its standard errors of the truth, and a known small bias."""
    found = np.array([nats(estimator, draw(np.random.default_rng(seed))) for seed in range(repeats)])
    error = found.std(ddof=1) / np.sqrt(repeats)
    assert abs(found.mean() - truth) < K_ERRORS * error + bias, (found.mean(), truth, error)
    assert K_ERRORS * error < 0.08  # sharp enough to mean something


def normal_pairs(n: int, rho: float, d: int = 1):
    def draw(rng):
        x = rng.normal(size=(n, d))
        return pairs(x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=(n, d)))

    return draw


@pytest.mark.parametrize("rho", [0.0, 0.6, 0.95])
@pytest.mark.parametrize(
    "estimator",
    [KSG(), KSG(variant=2), KSG(scale="standard"), KSG(k=10, queries=300), MixedKSG(scale="none", ties="count")],
    ids=str,
)
def test_gaussian(estimator, rho):
    close_to(-0.5 * log(1 - rho**2), estimator, normal_pairs(1000, rho), bias=0.02)


def test_gaussian_of_two_dimensions_a_side():
    close_to(-log(1 - 0.6**2), KSG(), normal_pairs(1000, 0.6, d=2), bias=0.02)


def chain(rng, n: int = 1000, direct: float = 0.0):
    z = rng.normal(size=n)
    x = z + rng.normal(size=n)
    return x, z + direct * x + rng.normal(size=n), z


@pytest.mark.parametrize("estimator", [KSG(), MixedKSG()], ids=str)
@pytest.mark.parametrize("direct", [0.0, 0.7])
def test_given_a_common_cause(estimator, direct):
    """X ← Z → Y, and a direct effect: I(X; Y | Z) = ½ log(1 + direct²)."""
    close_to(0.5 * log(1 + direct**2), estimator, lambda rng: pairs(*chain(rng, direct=direct)), bias=0.02)


@pytest.mark.parametrize("estimator", [KSG(), MixedKSG()], ids=str)
def test_given_a_discrete_common_cause(estimator):
    def draw(rng):
        z = rng.integers(0, 3, 1000)
        x = 2 * z + rng.normal(size=1000)
        return pairs(x, 2 * z + 0.5 * (x - 2 * z) + rng.normal(size=1000), z, dz=True)

    close_to(0.5 * log(1 + 0.25), estimator, draw, bias=0.01)


@pytest.mark.parametrize("estimator", [Ross(), Ross(k=5, queries=500), MixedKSG()], ids=str)
def test_a_level_and_a_uniform_around_it(estimator):
    """Gao et al. 2017, experiment II: X uniform on 0 .. m - 1, Y uniform on [X, X + 2]: I = log m - (m - 1) log 2 / m."""

    def draw(rng):
        x = rng.integers(0, 5, 1500)
        return pairs(x, x + rng.uniform(0, 2, 1500), dx=True)

    close_to(log(5) - 4 * log(2) / 5, estimator, draw, bias=0.02)


def test_zero_inflated_poisson():
    """Gao et al. 2017, experiment IV: X ~ Exp(1), Y = 0 with probability 0.15, else Poisson(X)."""
    truth = (1 - 0.15) * (2 * log(2) - np.euler_gamma - sum(log(j) * 2.0**-j for j in range(1, 60)))

    def draw(rng):
        x = rng.exponential(size=3000)
        return pairs(x, rng.poisson(x) * (rng.uniform(size=3000) > 0.15))

    close_to(truth, MixedKSG(), draw, bias=0.02)


@pytest.mark.parametrize("decimals", [15, 1])
def test_a_shared_point_mass(decimals):
    """X = Y = 9 by one coin, else both normal and independent, perhaps rounded: I is the entropy of the coin."""

    def draw(rng):
        atom = rng.uniform(size=2000) < 0.5
        x, y = (np.where(atom, 9.0, rng.normal(size=2000).round(decimals)) for _ in "xy")
        return pairs(x, y)

    close_to(log(2), MixedKSG(), draw, bias=0.01)


def test_discrete_pairs_have_the_corrected_plug_in_value():
    """Mean of ψ terms = plug-in + (K_x + K_y - K_xy - 1) / 2n up to O(1/n²): Miller & Madow."""
    rng = np.random.default_rng(3)
    x, y = rng.integers(0, 3, 4000), rng.integers(0, 4, 4000)
    table = np.histogram2d(x, y, (3, 4))[0] / 4000
    plug_in = float(np.sum(table * np.log(table / table.sum(1, keepdims=True) / table.sum(0, keepdims=True))))
    found = nats(MixedKSG(), pairs(x, y, dx=True, dy=True))
    assert found == pytest.approx(plug_in + (3 + 4 - 12 - 1) / 8000, abs=2e-5)


def test_independent_sides_say_zero_on_average():
    rng = np.random.default_rng(0)
    for estimator, sample in (
        (KSG(), lambda: pairs(rng.normal(size=300), rng.normal(size=(300, 2)))),
        (Ross(), lambda: pairs(rng.integers(0, 3, 300), rng.normal(size=300), dx=True)),
        (MixedKSG(), lambda: pairs(rng.poisson(3, 300), rng.normal(size=300))),
        (MixedKSG(), lambda: pairs(rng.normal(size=300).round(1), rng.normal(size=300).round(1))),
        (MixedKSG(), lambda: pairs(rng.integers(0, 3, 300), rng.normal(size=300), rng.normal(size=300), dx=True)),
    ):
        found = np.array([nats(estimator, sample()) for _ in range(25)])
        assert abs(found.mean()) < K_ERRORS * found.std(ddof=1) / np.sqrt(25) + 0.003, estimator


def test_rounding_takes_nothing_away():
    """Rounded to 0.1, a Gaussian pair of correlation 0.8 keeps 0.509 of its 0.511 nats; counting says 0.8."""

    def draw(rng):
        x, y = rng.multivariate_normal([0, 0], [[1, 0.8], [0.8, 1]], 600).T
        return pairs(x.round(1), y.round(1))

    close_to(0.509, MixedKSG(), draw, bias=0.01)
    assert nats(MixedKSG(ties="count"), draw(np.random.default_rng(0))) > 0.7


SAMPLE = normal_pairs(300, 0.8)(np.random.default_rng(7))
LEVELS = pairs((SAMPLE.x.values > 0).astype(float), SAMPLE.y.values, dx=True)
THREE = pairs(*chain(np.random.default_rng(8), 300))
LAWS = [(KSG(), SAMPLE), (KSG(variant=2), SAMPLE), (KSG(), THREE), (Ross(), LEVELS), (MixedKSG(), LEVELS)]


@pytest.mark.parametrize(("estimator", "sample"), LAWS, ids=str)
def test_symmetry_and_order_of_rows(estimator, sample):
    swapped = Sample(sample.y, sample.x, sample.z)
    assert nats(estimator, swapped) == pytest.approx(nats(estimator, sample), abs=1e-12)
    shuffled = sample.rows(np.random.default_rng(1).permutation(len(sample)))
    assert nats(estimator, shuffled) == pytest.approx(nats(estimator, sample), abs=1e-12)


@pytest.mark.parametrize("make", [MixedKSG, KSG, partial(KSG, variant=2)], ids=["mixed", "KSG 1", "KSG 2"])
def test_the_terms_of_some_rows_are_those_of_all(make):
    """log(300 / 1500), what their number would add if it were taken for that of the rows, is -1.6."""
    sample = normal_pairs(1500, 0.7)(np.random.default_rng(0))
    some, every = (nats(make(queries=queries), sample) for queries in (300, None))
    assert some == pytest.approx(every, abs=0.2)  # over three standard errors of a mean of 300 terms


def test_increasing_maps_change_nothing_under_normal_scores():
    mapped = pairs(np.exp(SAMPLE.x.values), -np.cbrt(SAMPLE.y.values))
    for estimator in (KSG(), KSG(variant=2), MixedKSG()):
        assert nats(estimator, mapped) == pytest.approx(nats(estimator, SAMPLE), abs=1e-12)


@pytest.mark.parametrize("factor", [2.0**-1000, 2.0**-30, 2.0**30, 2.0**1010])
def test_units_change_nothing(factor):
    """Powers of two are exact, so the answers are the same float; "none" keeps the sides' relation."""
    other_units = pairs(SAMPLE.x.values * factor, SAMPLE.y.values)
    both_units = pairs(SAMPLE.x.values * factor, SAMPLE.y.values * factor)
    for scale, sample in (("normal scores", other_units), ("standard", other_units), ("none", both_units)):
        assert nats(KSG(scale=scale), sample) == nats(KSG(scale=scale), SAMPLE)


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_extreme_sizes_and_tails(size):
    x, y = SAMPLE.x.values, SAMPLE.y.values
    for scale in ("normal scores", "standard"):
        assert nats(KSG(scale=scale), pairs(size * x, y)) == pytest.approx(nats(KSG(scale=scale), SAMPLE), abs=1e-9)
    assert nats(KSG(), pairs(np.sign(x) * np.abs(x) ** 100, y)) == pytest.approx(nats(KSG(), SAMPLE), abs=1e-12)


def test_a_shift_costs_no_digits():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 2**30, 400) * 2.0**-20  # sums with 2^22 are exact
    y = x + 100 * rng.normal(size=400)
    for scale in ("standard", "none"):
        shifted = nats(KSG(scale=scale), pairs(x + 2.0**22, y))
        assert shifted == pytest.approx(nats(KSG(scale=scale), pairs(x, y)), abs=1e-9)


def test_no_estimate_is_above_its_ceiling():
    x = np.random.default_rng(0).normal(size=200)
    for k in (1, 3, 10):
        measured = KSG(k).measure(pairs(x, x), np.random.default_rng(0))
        assert measured.nats == pytest.approx(digamma(200) - digamma(k))
        assert measured.details["ceiling"] == pytest.approx(measured.nats)
        assert [caution.kind for caution in measured.cautions] == ["ceiling"]


def test_scikit_learn_where_it_computes_the_same():
    """It adds noise of 1e-10 of the scale, and drops labels seen once."""
    rng = np.random.default_rng(0)
    x, y = SAMPLE.x.values, SAMPLE.y.values[:, 0]
    theirs = mutual_info_regression(x, y, n_neighbors=3, random_state=0)[0]
    assert nats(KSG(scale="standard"), SAMPLE) == pytest.approx(theirs, abs=1e-9)
    label = np.append(rng.integers(0, 4, 299), 9)
    theirs = mutual_info_classif(x, label, n_neighbors=3, random_state=0)[0]
    assert nats(Ross(scale="standard"), pairs(label, x, dx=True)) == pytest.approx(theirs, abs=1e-9)
