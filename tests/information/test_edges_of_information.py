"""Where two roundings meet, sums leave their type, and numbers come as numpy's."""

from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
import torch

import infomax.information as info
from infomax.data.worlds import additive_noise, autoregressions, correlated, elliptical, staircase, table
from infomax.data.worlds.conditional import opposite_groups
from infomax.data.worlds.mixed import labelled_normals, zero_inflated_counts
from infomax.errors import InputError

KINDS = ["min", "max", "arithmetic", "geometric", "joint", "x", "y"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", range(2, 41))
def test_a_constant_shares_nothing_whatever_its_entropy_is_rounded_to(kind, rows):
    joint = np.full((rows, 1), 1 / rows)
    padded = np.zeros((rows, 3))
    padded[:, 1:2] = joint
    for p in (joint, joint.T, padded, torch.tensor(joint), torch.tensor(padded.T)):
        assert info.normalised_mutual_information(p, kind) == 0


def digits(d_x: int, d_y: int, degrees: float) -> float:
    """What a common scale tells, by seven hundred digits."""
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(700):

        def f(v):
            half = mpmath.mpf(v) / 2
            return mpmath.loggamma(half) - half * mpmath.digamma(half)

        v = mpmath.mpf(degrees)
        return float(f(v) + f(v + d_x + d_y) - f(v + d_x) - f(v + d_y))


@pytest.mark.parametrize("degrees", [0.5, 3, 50, 99.9, 100, 101, 1e3, 1e6, 1e10, 1e16, 1e100])
@pytest.mark.parametrize(("d_x", "d_y"), [(1, 1), (2, 3), (25, 25)])
def test_student_t_of_any_degrees(degrees, d_x, d_y):
    found = info.student_t_mutual_information(np.eye(d_x + d_y), d_x, degrees)
    assert found == pytest.approx(digits(d_x, d_y, degrees), rel=1e-8 if d_x < 9 else 1e-5, abs=1e-300)
    assert elliptical("t", np.eye(d_x + d_y), d_x, degrees).mutual_information == found


@pytest.mark.parametrize("iterations", [1, 2, 3, 50])
def test_the_capacity_is_what_its_input_reaches(iterations):
    channel = info.z_channel(0.5)
    found = info.channel_capacity(channel, iterations=iterations)
    assert found.nats == pytest.approx(info.mutual_information(info.joint_through(found.input, channel)), abs=1e-14)
    assert found.nats + found.gap >= info.z_capacity(0.5) - 1e-12


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_sums_to_1_as_well_as_it_can(dtype):
    for seed in range(50):
        p = torch.randn(20, generator=torch.Generator().manual_seed(seed)).softmax(0).to(dtype)
        assert info.entropy(p) > 0
    with pytest.raises(InputError, match="must sum to 1"):
        info.entropy(torch.full((3,), 0.5, dtype=dtype))


def test_numbers_of_numpy_are_numbers():
    assert info.entropy([0.5, 0.5], base=np.int64(2)) == 1
    assert info.entropy([0.5, 0.5], base=np.float32(2)) == 1
    joint = [[0.5, 0.0], [0.25, 0.25]]
    assert info.conditional_entropy(joint, given=np.int64(0)) == info.conditional_entropy(joint, given=0)
    counts = torch.tensor([3.0, 1.0], requires_grad=True)
    assert info.entropy_from_counts(counts) == info.entropy_from_counts([3, 1])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: info.entropy_from_counts(np.full(2000, 2**53), "plug_in"), "together"),
        (lambda: info.mutual_information_from_counts(np.full((40, 40), 2**53)), "together; got 1.441e"),
        (lambda: info.entropy_from_counts([3, 1], alphabet=2.7), "whole number, at least the 2 symbols"),
        (lambda: info.entropy_from_counts([3, 1], alphabet=float("nan")), "whole number"),
        (lambda: info.channel_capacity(info.z_channel(0.5), iterations=0), "iterations must be a whole number"),
        (lambda: info.binary_symmetric_channel("a"), "must be a probability"),
        (lambda: info.uniform_window_mutual_information(2.5), "levels must be a whole number"),
        (lambda: info.uniform_window_mutual_information(inf), "levels must be a whole number"),
        (lambda: elliptical("a", np.array([[1, 0.0], [0.9, 1]]), 1), "symmetric and positive definite"),
        (lambda: elliptical("a", np.eye(3), -1), "d_x must leave a column for each side, 1 to 2; got -1"),
        (lambda: elliptical("a", np.eye(3), 1, -2.0), "degrees must be above 0"),
        (lambda: correlated(1.0), "correlations between -1 and 1"),
        (lambda: table("t", np.array([[0.6, -0.1], [0.2, 0.3]])), "none below 0"),
        (lambda: table("t", np.array([[0.6, np.nan], [0.2, 0.3]])), "finite numbers"),
        (lambda: autoregressions(1.5, 0.5, 0.5), "rho must lie between -1 and 1"),
        (lambda: autoregressions(0.5, 1.0, 0.5), "memory_x must lie between -1 and 1"),
        (lambda: staircase(1, (-1,)), "no such law|positive definite"),
        (lambda: labelled_normals("x", [2, -1], [0, 1]), "weights above 0"),
        (lambda: additive_noise(0.0), "epsilon must be above 0"),
        (lambda: zero_inflated_counts(1.0), "zero must be a probability between 0 and 1"),
        (lambda: opposite_groups(0.9999), "between -0.999 and 0.999"),
    ],
)
def test_what_cannot_be_is_refused(wrong, says):
    with pytest.raises(InputError, match=says), np.errstate(invalid="ignore"):
        wrong()


@pytest.mark.parametrize("rho", [0.0, 0.9, 0.99, 0.999])
def test_what_two_groups_hide_is_no_more_than_they_share(rho):
    world = opposite_groups(rho)
    assert 0 <= world.mutual_information <= world.conditional_mutual_information + 1e-12


def test_an_empty_series_is_empty():
    x, y = autoregressions(0.5, 0.5, 0.5).sample(0, 0)
    assert x.shape == y.shape == (0, 1)


def test_a_table_may_be_a_list():
    assert table("bit", [[0.5, 0], [0, 0.5]]).mutual_information == pytest.approx(log(2))
