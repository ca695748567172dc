"""Discrete, mixed, independent, conditional and serial worlds: the mean log ratio is the stated value, on samples."""

import numpy as np
import pytest
from scipy.stats import entropy, spearmanr

from infomax.data.worlds import (
    ConditionalWorld,
    World,
    autoregressions,
    beyond_normal,
    conditional_worlds,
    discrete_worlds,
    high_information,
    independent_worlds,
    mixed_worlds,
    staircase,
    table,
    time_series,
)
from infomax.data.worlds.mixed import labelled_normals, zero_inflated_counts

PAIRS = discrete_worlds() + mixed_worlds()
LISTS = (beyond_normal, staircase, high_information, discrete_worlds, mixed_worlds, independent_worlds, time_series)
EVERY = [*(world for worlds in LISTS for world in worlds()), *staircase(cubed=True), *conditional_worlds()]


@pytest.mark.parametrize("world", PAIRS, ids=lambda world: world.name)
def test_the_mean_log_ratio_is_the_mutual_information(world: World) -> None:
    n = 20_000
    x, y = world.sample(n, 2)
    ratio = world.log_ratio(x, y)
    assert abs(ratio.mean() - world.mutual_information) < 4.5 * ratio.std() / np.sqrt(n)
    chance = np.exp(world.log_ratio(x[: n // 2], y[n // 2 :]))
    assert abs(chance.mean() - 1) < 5 * chance.std() / np.sqrt(n // 2)


@pytest.mark.parametrize("world", conditional_worlds(), ids=lambda world: world.name)
def test_the_mean_conditional_log_ratio(world: ConditionalWorld) -> None:
    n = 20_000
    x, y, z = world.sample(n, 2)
    assert (x.shape, y.shape, z.shape) == ((n, world.d_x), (n, world.d_y), (n, world.d_z))
    ratio = world.log_ratio(x, y, z)
    assert abs(ratio.mean() - world.conditional_mutual_information) < 4.5 * ratio.std() / np.sqrt(n) + 1e-9


@pytest.mark.parametrize("world", EVERY, ids=lambda world: world.name)
def test_shapes_and_kinds(world: World | ConditionalWorld) -> None:
    sides = world.sample(3, 0)
    assert [side.shape for side in sides] == [(3, world.d_x), (3, world.d_y), (3, getattr(world, "d_z", 0))][
        : len(sides)
    ]
    assert {side.dtype for side in sides} <= {np.dtype(np.float64), np.dtype(np.int64)}


def test_names_are_unique() -> None:
    names = [world.name for world in EVERY]
    assert len(set(names)) == len(names)


def test_a_table_is_its_entropies() -> None:
    joint = np.random.default_rng(3).dirichlet(np.ones(12)).reshape(3, 4)
    world = table("any", joint)
    entropies = entropy(joint.sum(axis=0)) + entropy(joint.sum(axis=1)) - entropy(joint.ravel())
    assert world.mutual_information == pytest.approx(entropies)
    x, y = world.sample(50_000, 0)
    assert np.histogram2d(x[:, 0], y[:, 0], bins=(range(4), range(5)))[0] / 50_000 == pytest.approx(joint, abs=0.01)


def test_a_table_of_counts_is_the_same_as_its_frequencies() -> None:
    joint = np.array([[4.0, 0.0], [1.0, 5.0]])
    assert table("counts", joint).mutual_information == pytest.approx(table("pmf", joint / 10).mutual_information)


def test_deterministic_map_has_the_entropy_of_its_image() -> None:
    world = {world.name: world for world in discrete_worlds()}["twelve into four, deterministic"]
    _, y = world.sample(200_000, 0)
    assert world.mutual_information == pytest.approx(entropy(np.bincount(y[:, 0])), abs=5e-3)


def test_far_labels_are_read_off_and_equal_means_say_nothing() -> None:
    far = labelled_normals("far", [0.3, 0.7], [0, 40])
    assert far.mutual_information == pytest.approx(entropy([0.3, 0.7]), abs=1e-9)
    assert labelled_normals("same", [0.3, 0.7], [1, 1]).mutual_information == pytest.approx(0, abs=1e-12)


def test_counts_without_added_zeros_have_the_published_value() -> None:
    """2 log 2 - γ - Σ log k / 2^k = 0.3012 (Gao et al. 2017), which holds where no zeros are added."""
    k = np.arange(1, 60)
    published = 2 * np.log(2) - np.euler_gamma - (np.log(k) / 2.0**k).sum()
    assert zero_inflated_counts(1e-13).mutual_information == pytest.approx(published, abs=1e-7)
    assert zero_inflated_counts(0.15).mutual_information < 0.85 * published


def test_what_is_unseen_in_conditional_worlds() -> None:
    worlds = {world.name: world for world in conditional_worlds()}
    assert worlds["exclusive or"].mutual_information == pytest.approx(0, abs=1e-12)
    assert worlds["exclusive or"].conditional_mutual_information == pytest.approx(np.log(2))
    chain = worlds["binary chain x - z - y"]
    error = 2 * 0.1 * 0.9
    assert chain.mutual_information == pytest.approx(np.log(2) - entropy([error, 1 - error]))
    assert chain.conditional_mutual_information == pytest.approx(0, abs=1e-12)
    cause = worlds["common cause of 5, pull 2, partial correlation 0"]
    assert cause.conditional_mutual_information == pytest.approx(0, abs=1e-12)
    x, y, _ = cause.sample(50_000, 1)
    rho = np.corrcoef(x[:, 0], y[:, 0])[0, 1]
    assert cause.mutual_information == pytest.approx(-np.log1p(-(rho**2)) / 2, abs=0.02)


def test_opposite_groups_hide_their_correlation() -> None:
    world = conditional_worlds()[-1]
    x, y, z = world.sample(50_000, 0)
    assert abs(np.corrcoef(x[:, 0], y[:, 0])[0, 1]) < 0.02
    assert np.corrcoef(x[z == 0], y[z == 0])[0, 1] == pytest.approx(0.9, abs=0.01)
    unseen = np.logaddexp(world.log_ratio(x, y, z), world.log_ratio(x, -y, z)) - np.log(2)
    assert unseen.mean() == pytest.approx(world.mutual_information, abs=4.5 * unseen.std() / np.sqrt(50_000))


@pytest.mark.parametrize("world", independent_worlds(), ids=lambda world: world.name)
def test_independent_worlds_know_it(world: World) -> None:
    x, y = world.sample(4000, 0)
    assert world.mutual_information == 0
    assert not world.log_ratio(x, y).any()
    assert abs(spearmanr(x[:, 0], y[:, 0]).statistic) < 5 / np.sqrt(4000)


def test_series_are_stationary_with_the_stated_memory_and_correlation() -> None:
    world = autoregressions(0.8, 0.9, 0.3)
    x, y = (side[:, 0] for side in world.sample(200_000, 0))
    assert [x.std(), y.std()] == pytest.approx([1, 1], abs=0.03)
    assert np.corrcoef(x[1:], x[:-1])[0, 1] == pytest.approx(0.9, abs=0.01)
    assert np.corrcoef(y[1:], y[:-1])[0, 1] == pytest.approx(0.3, abs=0.01)
    rho = np.corrcoef(x, y)[0, 1]
    assert -np.log1p(-(rho**2)) / 2 == pytest.approx(world.mutual_information, abs=0.01)
    assert 0.9**world.block <= 0.05 < 0.9 ** (world.block - 1)
    starts = np.array([world.sample(2, seed) for seed in range(3000)])[:, :, 0, 0]
    assert np.cov(starts.T) == pytest.approx(np.array([[1, rho], [rho, 1]]), abs=0.1)
