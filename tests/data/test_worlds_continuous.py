"""The stated mutual information is the mean of the log ratio, and the log ratio is one: its exponential has mean 1
over chance pairs. By Gibbs' inequality no other function passes both."""

import numpy as np
import pytest

from infomax.data.worlds import World, beyond_normal, high_information, staircase

STAIRCASE = staircase() + staircase(cubed=True)
WORLDS = beyond_normal() + STAIRCASE + high_information()


def named(worlds: list[World]) -> dict:
    return {"argvalues": worlds, "ids": [world.name for world in worlds]}


@pytest.mark.parametrize("world", **named(WORLDS))
def test_the_mean_log_ratio_is_the_mutual_information(world: World) -> None:
    n = 4000
    x, y = world.sample(n, 11)
    assert x.shape == (n, world.d_x)
    assert y.shape == (n, world.d_y)
    ratio = world.log_ratio(x, y)
    assert abs(ratio.mean() - world.mutual_information) < 4.5 * ratio.std() / np.sqrt(n) + 1e-3
