"""Worlds of high information: the staircase of Poole et al. (2019), and single steps beyond where most methods stop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from infomax.data.worlds.additive_noise import additive_noise
from infomax.data.worlds.elliptical import correlation_of, elliptical, equicorrelated, pairs_of
from infomax.data.worlds.maps import CUBE, HALF_CUBE, IDENTITY, linear, mapped, spiral
from infomax.data.worlds.world import World


def staircase(d: int = 20, nats: Sequence[float | int] = (2, 4, 6, 8, 10), cubed: bool = False) -> list[World]:
    """One world a step: d pairs of Gaussian coordinates that share nats / d each (Poole et al. 2019, section 3).

    Args:
        d: coordinates a side.
        nats: mutual information of each step.
        cubed: y becomes (W y)³, for one matrix W of standard normal entries: the same information, harder to see.
    """
    return [_step(d, float(value), cubed) for value in nats]


def _step(d: int, nats: float, cubed: bool) -> World:
    world = elliptical(f"staircase {d}x{d}, {nats:g} nats", pairs_of([correlation_of(nats / d)] * d), d)
    if not cubed:
        return world
    mixing = linear(np.random.default_rng(0).standard_normal((d, d)))
    return mapped(f"{world.name}, cubed", mapped("mixed", world, IDENTITY, mixing), IDENTITY, CUBE)


def high_information() -> list[World]:
    """Worlds of 3 to 20 nats: few and many coordinates, Gaussian and not."""
    wound = _pairs(5, 2, 4.0)
    return [
        _pairs(1, 1, 5.0),
        _pairs(1, 1, 10.0),
        _pairs(10, 10, 10.0),
        _pairs(10, 10, 20.0),
        _pairs(25, 2, 6.0),
        elliptical("dense 10x10, correlation 0.95", equicorrelated(20, 0.95), 10),
        mapped("half-cube 3x3, 6 nats", _pairs(3, 3, 6.0), HALF_CUBE, HALF_CUBE),
        mapped("spiral 5x5, 4 nats", wound, spiral(5, 0, 1), spiral(5, 1, 2)),
        additive_noise(0.001),
        additive_noise(0.0001),
    ]


def _pairs(d: int, correlated: int, nats: float) -> World:
    rho = correlation_of(nats / correlated)
    return elliptical(f"normal {d}x{d}, {nats:g} nats in {correlated}", pairs_of([rho] * correlated, d, d), d)
