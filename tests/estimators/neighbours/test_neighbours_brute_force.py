"""The fast estimators equal their definitions, term by term: every kind, dimension, path, tie and boundary."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

sys.path.insert(0, str(Path(__file__).parent))
import brute_force
from brute_force import pairs

from infomax.estimators import KSG, MixedKSG, Ross
from infomax.estimators.neighbours import balls, plane

EXACT = {"rtol": 0, "atol": 1e-12}
RNG = np.random.default_rng(20040623)


def gaussian(n: int, dx: int, dy: int, dz: int = 0, *, rho: float = 0.7, seed: int = 1):
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    x, y, z = (rho * common + rng.normal(size=(n, d)) for d in (dx, dy, dz))
    return pairs(x, y, z if dz else None)


def local(estimator, sample):
    return estimator.measure(sample, np.random.default_rng(0)).local


@pytest.fixture(params=["as it chooses", "trees", "all distances"])
def path(request, monkeypatch):
    """Trees and blocks of all distances must not differ, whichever is thought to pay."""
    if request.param != "as it chooses":
        monkeypatch.setattr(balls, "WORTH", 2.0 if request.param == "trees" else -1.0)


@pytest.mark.parametrize("k", [1, 3, 7])
@pytest.mark.parametrize("dims", [(1, 1), (1, 2), (3, 2), (9, 8)])
def test_ksg_1(dims, k, path):
    sample = gaussian(120, *dims)
    np.testing.assert_allclose(local(KSG(k, scale="none"), sample), brute_force.ksg1(sample, k), **EXACT)


@pytest.mark.parametrize("k", [1, 4])
@pytest.mark.parametrize("dims", [(1, 1), (2, 3), (9, 8)])
def test_ksg_2(dims, k, path):
    sample = gaussian(120, *dims)
    np.testing.assert_allclose(local(KSG(k, 2, "none"), sample), brute_force.ksg2(sample, k), **EXACT)


@pytest.mark.parametrize("dims", [(1, 1, 1), (1, 2, 2), (6, 5, 6)])
def test_conditional_ksg(dims, path):
    sample = gaussian(120, *dims)
    np.testing.assert_allclose(local(KSG(3, scale="none"), sample), brute_force.ksg1(sample, 3), **EXACT)
    np.testing.assert_allclose(local(MixedKSG(3, "none", "count"), sample), brute_force.ksg1(sample, 3), **EXACT)


@pytest.mark.parametrize("swapped", [False, True])
def test_ross(swapped):
    label = np.repeat([0, 1, 2, 3], [2, 3, 30, 65]).astype(float)
    y = RNG.permutation(np.sqrt(label) + RNG.normal(size=100) / 3)
    sample = pairs(y, label, dy=True) if swapped else pairs(label, y, dx=True)
    np.testing.assert_allclose(local(Ross(3, "none"), sample), brute_force.ross(label, y, 3), **EXACT)


LATTICE = RNG.integers(0, 5, (90, 6)).astype(float)
MIXED_SAMPLES = {
    "continuous": gaussian(90, 1, 2),
    "lattice 1 + 1": pairs(LATTICE[:, 0], LATTICE[:, 1]),
    "lattice 2 + 1": pairs(LATTICE[:, :2], LATTICE[:, 2]),
    "lattice given lattice": pairs(LATTICE[:, 0], LATTICE[:, 1] + LATTICE[:, 2], LATTICE[:, 2]),
    "point mass": pairs(np.maximum(LATTICE[:, 0] - 2, 0) * RNG.normal(size=90), RNG.normal(size=90)),
    "discrete": pairs(LATTICE[:, 0], LATTICE[:, :2].sum(1), dx=True, dy=True),
    "discrete given discrete": pairs(LATTICE[:, 0], LATTICE[:, 1], LATTICE[:, 2], dx=True, dy=True, dz=True),
    "discrete and continuous": pairs(LATTICE[:, 0], RNG.normal(size=90) + LATTICE[:, 0], dx=True),
    "columns of both kinds": pairs(
        np.column_stack([LATTICE[:, 0] // 3, RNG.normal(size=90)]),
        np.column_stack([RNG.normal(size=90), LATTICE[:, 1] // 3, LATTICE[:, 2]]),
        LATTICE[:, 3] // 3,
        dx=[True, False],
        dy=[False, True, False],
        dz=True,
    ),
    "given a continuous one": pairs(LATTICE[:, 0] // 3, RNG.normal(size=90), RNG.normal(size=90), dx=True),
}


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("name", MIXED_SAMPLES)
def test_mixed(name, k, path):
    sample = MIXED_SAMPLES[name]
    measured = MixedKSG(k, "none", "count").measure(sample, np.random.default_rng(0))
    assert not any(caution.kind == "single levels" for caution in measured.cautions)
    np.testing.assert_allclose(measured.local, brute_force.mixed(sample, k), **EXACT)


def test_given_a_discrete_variable_ksg_and_ross_are_their_means_over_strata():
    sample = gaussian(150, 1, 1)
    level = np.repeat([0.0, 1.0, 2.0], [20, 60, 70])
    given_level = pairs(sample.x.values, sample.y.values, level, dz=True)
    terms = [brute_force.ksg1(sample.rows(np.flatnonzero(level == one)), 3) for one in range(3)]
    np.testing.assert_allclose(local(KSG(scale="none"), given_level), np.concatenate(terms), **EXACT)
    assert KSG(scale="none").measure(given_level, RNG).nats == pytest.approx(np.concatenate(terms).mean(), abs=1e-12)
    coin = (sample.x.values[:, 0] > 0).astype(float)
    terms = [brute_force.ross(coin[level == one], sample.y.values[level == one, 0], 3) for one in range(3)]
    found = Ross(scale="none").measure(pairs(coin, sample.y.values, level, dx=True, dz=True), RNG)
    assert found.nats == pytest.approx(np.concatenate(terms).mean(), abs=1e-12)


ODD = st.sampled_from([0.1, 0.2, 0.30000000000000004, 0.3, 0.7, 1 / 3, 1e-17, -0.1, 1e9, 1e9 + 1, 1.0, 5e-324])


@settings(max_examples=60, deadline=None)
@given(arrays(float, (40, 2), elements=st.one_of(ODD, st.integers(-3, 3).map(float))), st.integers(1, 5))
def test_balls_hold_exactly_the_points_at_the_rounded_distance(points, k):
    """Ties, rounding at the boundary and tiny numbers: where |a - b| as a float is at most the radius, b is in."""
    rows = np.arange(len(points))
    apart = np.abs(points[:, None] - points[None])
    for columns in ([0], [0, 1]):
        far = apart[:, :, columns].max(2)
        radius = balls.kth_distance(points[:, columns], k, rows)
        assert np.array_equal(radius, np.sort(far, axis=1)[:, k])
        closed = balls.ball_counts(points[:, columns], radius, rows)
        assert np.array_equal(closed, (far <= radius[:, None]).sum(1))
        nearer = balls.ball_counts(points[:, columns], balls.below(radius), rows)
        assert np.array_equal(nearer, np.maximum((far < radius[:, None]).sum(1), 1))


PLANES = {
    "independent": RNG.normal(size=(700, 2)),
    "nearly a line": np.repeat(RNG.normal(size=(700, 1)), 2, axis=1) + 1e-3 * RNG.normal(size=(700, 2)),
    "a curve": np.column_stack([x := RNG.uniform(-1, 1, 700), x**2]),
    "heavy tails": RNG.standard_cauchy((700, 2)) ** 3,
    "lattice": RNG.integers(0, 9, (700, 2)).astype(float),
    "one column constant": np.column_stack([RNG.normal(size=700), np.zeros(700)]),
    "the other constant": np.column_stack([np.zeros(700), RNG.normal(size=700)]),
    "two heaps": RNG.normal(size=(700, 2)) * 1e-9 + RNG.integers(0, 2, (700, 1)),
}


@pytest.mark.parametrize("k", [1, 3, 16, 17])
@pytest.mark.parametrize("name", PLANES)
def test_the_plane_by_strips(name, k, monkeypatch):
    """Also where a chunk of strips ends before the last one."""
    monkeypatch.setattr(plane, "AT_ONCE", 100)
    points = PLANES[name]
    far = np.abs(points[:, None] - points[None]).max(2)
    assert np.array_equal(plane.kth_distance_in_plane(points, k), np.partition(far, k, axis=1)[:, k])


def test_most_of_a_plane_needs_no_tree():
    points = RNG.normal(size=(1200, 2))
    strips = plane.Strips.cut(points, 60)
    radius, sure = plane._in_strips(strips, 3, 6)
    far = np.abs(points[:, None] - points[None]).max(2)
    inside = strips.rows < len(points)
    true = np.partition(far, 3, axis=1)[:, 3][strips.rows[inside]]
    assert np.array_equal(radius[inside][sure[inside]], true[sure[inside]])
    assert sure[inside].mean() > 0.85


def test_random_rows_have_the_terms_that_they_have_among_all(path):
    for sample in (gaussian(200, 1, 1), gaussian(200, 2, 2), gaussian(200, 1, 1, 1)):
        everyone = local(KSG(scale="none"), sample)
        rows = np.sort(np.random.default_rng(5).choice(200, 30, replace=False))
        found = KSG(scale="none", queries=30).measure(sample, np.random.default_rng(5))
        assert found.nats == pytest.approx(everyone[rows].mean(), abs=1e-12)
        assert found.standard_error == pytest.approx(everyone[rows].std(ddof=1) * np.sqrt(1 / 30 + 1 / 200))
