"""The stated mutual information is the mean of the log ratio, and the log ratio is one: its exponential has mean 1
over chance pairs. By Gibbs' inequality no other function passes both."""

import numpy as np
import pytest

from infomax.data.worlds import World, additive_noise, beyond_normal, correlated, high_information, staircase
from infomax.data.worlds.maps import Map, mapped

BEYOND_NORMAL = beyond_normal()
STEPS = staircase() + staircase(cubed=True)
WORLDS = BEYOND_NORMAL + STEPS + high_information()
NAMES = [world.name for world in WORLDS]


@pytest.mark.parametrize("world", WORLDS, ids=NAMES)
def test_the_mean_log_ratio_is_the_mutual_information(world: World) -> None:
    n = 4000
    x, y = world.sample(n, 11)
    assert x.shape == (n, world.d_x)
    assert y.shape == (n, world.d_y)
    ratio = world.log_ratio(x, y)
    rare = 1e-3  # an edge that 4,000 pairs may never touch
    assert abs(ratio.mean() - world.mutual_information) < 4.5 * ratio.std() / np.sqrt(n) + rare


@pytest.mark.parametrize("world", [w for w in WORLDS if w.mutual_information < 2], ids=lambda world: world.name)
def test_the_ratio_has_mean_one_over_chance_pairs(world: World) -> None:
    n = 8000
    x, y = world.sample(2 * n, 5)
    ratio = np.exp(world.log_ratio(x[:n], y[n:]))
    assert abs(ratio.mean() - 1) < 5 * ratio.std() / np.sqrt(n)


def test_the_values_of_the_paper() -> None:
    """Table of true values in the paper's appendix, to its two decimals: 0.41 for correlation 0.75, and so on."""
    value = {world.name: round(world.mutual_information, 2) for world in BEYOND_NORMAL}
    assert value["1v1-normal-0.75"] == value["swissroll_x-normal_cdf-1v1-normal-0.75"] == 0.41
    assert value["1v1-additive-0.1"] == 1.71
    assert value["1v1-additive-0.75"] == 0.33
    assert value["student-identity-1-1-1"] == 0.22
    assert value["multinormal-dense-50-50-0.5"] == 1.62
    assert value["multinormal-sparse-25-25-2-2.0"] == value["spiral-multinormal-sparse-3-3-2-2.0"] == 1.02
    assert value["student-identity-5-5-2"] == 0.45


def test_the_student_t_tends_to_the_gaussian() -> None:
    from infomax.data.worlds.elliptical import elliptical, equicorrelated

    matrix = equicorrelated(5, 0.4)
    gaussian, student = (elliptical("any", matrix, 2, degrees) for degrees in (np.inf, 1e7))
    assert student.mutual_information == pytest.approx(gaussian.mutual_information, abs=1e-5)


@pytest.mark.parametrize("epsilon", [0.05, 0.3, 0.5, 0.75, 3.0])
def test_uniform_noise_against_quadrature(epsilon: float) -> None:
    """I = ∫ p(y) · chance of y given x · log ratio, over a fine grid of y: the ratio depends on y alone."""
    grid = np.linspace(-epsilon, 1 + epsilon, 400_002)[1:-1]
    length = np.minimum(grid + epsilon, 1) - np.maximum(grid - epsilon, 0)
    step = grid[1] - grid[0]
    assert -(length * np.log(length)).sum() * step / (2 * epsilon) == pytest.approx(
        additive_noise(epsilon).mutual_information, abs=2e-5
    )


def test_maps_come_back() -> None:
    """Over the range of the samples, each map of the 40 tasks is undone by its inverse: else a ratio would be of other points."""
    x, _ = correlated(0.75).sample(500, 0)
    from infomax.data.worlds import maps

    for name, value in vars(maps).items():
        if isinstance(value, Map):
            points = np.abs(x) / 6 if name == "SWISS_ROLL" else x
            assert value.backward(value.forward(points)) == pytest.approx(points, abs=1e-9), name
    wide = np.random.default_rng(1).standard_normal((500, 4))
    wound = maps.spiral(4, 1, 3)
    assert wound.backward(wound.forward(wide)) == pytest.approx(wide)
    assert not np.allclose(wound.forward(wide), wide)
    assert np.linalg.norm(wound.forward(wide), axis=1) == pytest.approx(np.linalg.norm(wide, axis=1))


def test_half_of_the_tasks_are_gaussian_up_to_maps_of_a_coordinate() -> None:
    gaussian = [world.name for world in BEYOND_NORMAL if world.gaussian]
    assert len(gaussian) == 20
    assert not [name for name in gaussian if "student" in name or "spiral" in name or "additive" in name]


def test_a_map_keeps_what_is_known() -> None:
    base = correlated(0.3)
    shifted = mapped("shifted", base, Map(lambda v: v + 1, lambda v: v - 1), Map(lambda v: -v, lambda v: -v))
    x, y = shifted.sample(100, 4)
    assert shifted.mutual_information == base.mutual_information
    assert shifted.log_ratio(x, y) == pytest.approx(base.log_ratio(x - 1, -y))


def test_a_seed_says_which_sample() -> None:
    world = correlated(0.5)
    same = zip(world.sample(9, 3), world.sample(9, np.random.default_rng(3)), strict=True)
    assert all(np.array_equal(a, b) for a, b in same)
    assert not np.array_equal(world.sample(9, 3)[0], world.sample(9, 4)[0])


def test_staircase_steps() -> None:
    assert [world.mutual_information for world in STEPS] == pytest.approx([2, 4, 6, 8, 10] * 2)
    assert {(world.d_x, world.d_y) for world in STEPS} == {(20, 20)}
    x, plain = staircase(nats=[4])[0].sample(5, 0)
    same_x, cubed = staircase(nats=[4], cubed=True)[0].sample(5, 0)
    assert np.array_equal(x, same_x)
    assert not np.allclose(plain, cubed)
