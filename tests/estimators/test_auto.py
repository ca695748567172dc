"""`estimate`: which method is chosen, that it says why, and that small or independent samples are read soberly."""

import subprocess
import sys

import numpy as np
import pytest

import infomax
from infomax.data.worlds import beyond_normal, staircase
from infomax.errors import InputError
from infomax.estimators import Auto, Constant, Critic, estimate

QUICK = Auto(Critic(folds=2, steps=80, batch=128, width=16))


def draw(kind, n, rng):
    if kind == "discrete":
        return rng.choice(["a", "b", "c"], n)
    if kind == "tied":
        return np.maximum(rng.normal(size=n), 0)
    return rng.normal(size=(n, 3 if kind == "wide" else 1))


@pytest.mark.parametrize(
    ("x", "y", "given", "method"),
    [
        ("discrete", "discrete", None, "contingency table"),
        ("discrete", "narrow", None, "Ross"),
        ("narrow", "discrete", None, "Ross"),
        ("narrow", "narrow", None, "KSG"),
        ("tied", "narrow", None, "mixed KSG"),
        ("narrow", "narrow", "narrow", "KSG"),
        ("narrow", "narrow", "discrete", "KSG"),
        ("discrete", "narrow", "discrete", "Ross"),
        ("discrete", "narrow", "narrow", "mixed KSG"),
        ("discrete", "discrete", "discrete", "contingency table"),
        ("wide", "narrow", "wide", "Gaussian copula"),
        ("wide", "wide", "discrete", "KSG"),
    ],
)
def test_the_kinds_of_the_columns_settle_the_method(x, y, given, method):
    rng = np.random.default_rng(0)
    x, y, z = (None if kind is None else draw(kind, 300, rng) for kind in (x, y, given))
    found = estimate(x, y, given=z, random_state=0)
    assert found.method.startswith(method)
    assert [(c.method, c.chosen) for c in found.contenders] == [(found.method, True)]
    assert abs(found.nats) < 4 * found.standard_error + 0.02


def world(name):
    return next(w for w in beyond_normal() if w.name == name)


def test_gaussian_sides_are_read_by_the_copula_and_others_by_the_critic():
    gaussian, student = world("half_cube-multinormal-sparse-3-3-2-2.0"), world("student-identity-3-3-2")
    found = estimate(*gaussian.sample(1000, 5000), method=QUICK, random_state=0)
    assert found.method.startswith("Gaussian copula")
    assert abs(found.nats - gaussian.mutual_information) < 3 * found.standard_error
    found = estimate(*student.sample(1000, 5000), method=QUICK, random_state=0)
    assert found.method.startswith("neural critic")
    assert abs(found.nats - student.mutual_information) < 2 * found.standard_error
    names = [c.method.split()[0] for c in found.contenders]
    assert names[0] == "neural"
    assert set(names) == {"neural", "Gaussian", "constant"}
    assert [c.chosen for c in found.contenders] == [True, False, False]
    assert found.contenders[0].score > max(c.score for c in found.contenders[1:])


def test_zero_information_reads_as_zero():
    rng, zero = np.random.default_rng(1), 0
    for _ in range(25):  # too few rows for the critic, so each takes a moment
        found = estimate(rng.normal(size=(200, 4)), rng.standard_t(3, size=(200, 5)), level=None)
        assert abs(found.nats) < 3 * found.standard_error
        zero += abs(found.nats) < 2 * found.standard_error
    assert zero >= 22
    found = estimate(rng.normal(size=(600, 4)), rng.standard_t(3, size=(600, 5)), method=QUICK, random_state=0)
    assert abs(found.nats) < 2 * found.standard_error
    assert found.standard_error > 0


def test_high_information_does_not_stop_at_the_log_of_the_candidates():
    (steep,) = staircase(nats=(10,))
    found = estimate(*steep.sample(2000, 5000), method=QUICK, random_state=0)
    assert abs(found.nats - 10) < 3 * found.standard_error
    assert found.standard_error < 0.2


@pytest.mark.parametrize("n", [10, 20, 50])
@pytest.mark.parametrize("columns", [1, 3, 30])
def test_small_samples_give_a_finite_number_and_a_warning(n, columns):
    rng = np.random.default_rng(n)
    found = estimate(rng.normal(size=(n, columns)), rng.normal(size=(n, columns)), random_state=0)
    assert abs(found.nats) < 1.5
    assert "few samples" in [caution.kind for caution in found.cautions]


@pytest.mark.parametrize("columns", [1, 3])
def test_two_pairs_are_refused_in_a_plain_sentence(columns):
    x = np.random.default_rng(0).normal(size=(2, columns))
    with pytest.raises(InputError, match=r"got 2.*\."):
        estimate(x, x[::-1])


def test_methods_go_by_name_or_by_object():
    rng = np.random.default_rng(2)
    x = rng.normal(size=200)
    y = x + rng.normal(size=200)
    for name in ("ksg", "mixed", "copula", "cca"):
        assert abs(estimate(x, y, method=name, random_state=0).nats - 0.5 * np.log(2)) < 0.15
    assert estimate(x, y, method=Constant()).nats == estimate(x, y, method="constant").nats == 0
    with pytest.raises(InputError, match=r"method must be one of auto, .*got 'knn'"):
        estimate(x, y, method="knn")


def test_kinds_can_be_said():
    x = np.tile([0.0, 1.0, 2.0], 50)
    found = infomax.estimate(x, x, discrete_x=True, discrete_y=True)
    assert found.method.startswith("contingency table")


def test_a_pair_of_columns_needs_no_torch():
    code = (
        "import sys, numpy as np; from infomax import estimate; x = np.random.default_rng(0).normal(size=(2, 99)); "
        "estimate(x[0], x[1]); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_beyond_the_reach_of_neighbours_one_column_a_side_is_read_by_the_copula():
    rng = np.random.default_rng(0)
    x = rng.normal(size=2000)
    y = x + 1e-4 * rng.normal(size=2000)  # 9.2 nats, KSG's ceiling is 6.7
    found = estimate(x, y, random_state=0)
    neighbours = estimate(x, y, method="ksg", random_state=0)
    assert "copula" in found.method
    assert 9.3 > found.nats > neighbours.nats
    for one in (found, neighbours):  # neither says how far above it the truth may be
        assert "ceiling" in [c.kind for c in one.cautions]
        assert one.interval.low < 9.2 < one.interval.high == np.inf
    few = x[:500], x[:500] + 1e-5 * rng.normal(size=500)  # of which halves may be deterministic
    assert estimate(*few, method="copula", random_state=0).interval.high == np.inf
    blurred = estimate(x, x + 0.1 * rng.normal(size=2000), method="copula", random_state=0)
    assert blurred.interval.high < 2.5
    assert [c.chosen for c in found.contenders] == [True, False]
    function = estimate(x, np.sin(5 * x) + 1e-4 * rng.normal(size=2000), random_state=0)
    assert "KSG" in function.method  # a dependence that no correlation sees stays with neighbours


def test_equal_ranks_are_not_read_as_infinite():
    found = estimate([1.0, 3.0, 5.0, 7.0, 8.0], [2.0, 4.0, 6.0, 9.0, 11.0])
    assert np.isfinite(found.nats)
    assert "near-deterministic" in {caution.kind for caution in found.cautions}
