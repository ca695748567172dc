"""Invertible maps of one side, which leave mutual information as it is, and the worlds that they make of others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from infomax.data.worlds.world import Pair, World

Function = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Map:
    """(n, d) -> (n, d') and back.

    Attributes:
        forward, backward: the map and its inverse on its range.
        columns_added: d' - d.
        by_coordinate: it maps each coordinate by itself, so a Gaussian copula stays one.
    """

    forward: Function
    backward: Function
    columns_added: int = 0
    by_coordinate: bool = True


def mapped(name: str, world: World, map_x: Map, map_y: Map) -> World:
    """The world of (map_x(x), map_y(y)): the same mutual information, the same pointwise ratio pulled back."""

    def draw(n: int, rng: np.random.Generator) -> Pair:
        x, y = world.draw(n, rng)
        return map_x.forward(x), map_y.forward(y)

    base = world.log_ratio

    def log_ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        assert base is not None
        return base(map_x.backward(x), map_y.backward(y))

    return replace(
        world,
        name=name,
        d_x=world.d_x + map_x.columns_added,
        d_y=world.d_y + map_y.columns_added,
        draw=draw,
        log_ratio=None if base is None else log_ratio,
        gaussian=world.gaussian and map_x.by_coordinate and map_y.by_coordinate,
    )


def increasing_inverse(f: Function, low: float, high: float) -> Function:
    """Inverse of an increasing function on [low, high], by bisection to the last digit."""

    def inverse(values: np.ndarray) -> np.ndarray:
        below, above = np.full_like(values, low), np.full_like(values, high)
        for _ in range(64):
            middle = (below + above) / 2
            less = f(middle) < values
            below, above = np.where(less, middle, below), np.where(less, above, middle)
        return (below + above) / 2

    return inverse


def linear(matrix: np.ndarray) -> Map:
    """x -> matrix x. A Gaussian side stays Gaussian."""
    return Map(lambda v: v @ matrix.T, lambda v: np.linalg.solve(matrix, v.T).T)


def spiral(d: int, i: int, j: int, speed: float = 1.0) -> Map:
    """Turns the plane of coordinates i and j by the angle speed / d · |x|², so that rings wind against each other."""

    def turned(values: np.ndarray, sign: float) -> np.ndarray:
        angle = sign * speed / d * (values**2).sum(axis=1)
        result = values.copy()
        result[:, i] = np.cos(angle) * values[:, i] - np.sin(angle) * values[:, j]
        result[:, j] = np.sin(angle) * values[:, i] + np.cos(angle) * values[:, j]
        return result

    return Map(lambda v: turned(v, 1.0), lambda v: turned(v, -1.0), by_coordinate=False)


def _swiss_roll(values: np.ndarray) -> np.ndarray:
    t = 1.5 * np.pi * (1 + 2 * values)
    return np.hstack([t * np.cos(t), t * np.sin(t)]) / 21


def _unrolled(values: np.ndarray) -> np.ndarray:
    return (21 * np.linalg.norm(values, axis=1, keepdims=True) / (1.5 * np.pi) - 1) / 2


def _wiggly_x(v: np.ndarray) -> np.ndarray:
    return v + 0.4 * np.sin(v) + 0.2 * np.sin(1.7 * v + 1) + 0.03 * np.sin(3.3 * v - 2.5)


def _wiggly_y(v: np.ndarray) -> np.ndarray:
    return v - 0.4 * np.sin(0.4 * v) + 0.17 * np.sin(1.3 * v + 3.5) + 0.02 * np.sin(4.3 * v - 2.5)


def _two_humps(first: float, weight: float, second: float) -> Map:
    """A standard normal to the mixture of two unit normals at these centres, the first of this weight."""

    def cdf(v: np.ndarray) -> np.ndarray:
        return weight * ndtr(v - first) + (1 - weight) * ndtr(v - second)

    quantile = increasing_inverse(cdf, -20.0, 20.0)
    return Map(lambda v: quantile(ndtr(v)), lambda v: ndtri(cdf(v)))


IDENTITY = Map(lambda v: v, lambda v: v)
NORMAL_CDF = Map(ndtr, ndtri)
HALF_CUBE = Map(lambda v: v * np.sqrt(np.abs(v)), lambda v: np.sign(v) * np.cbrt(v) ** 2)
CUBE = Map(lambda v: v**3, np.cbrt)
ASINH = Map(np.arcsinh, np.sinh)
WIGGLY_X = Map(_wiggly_x, increasing_inverse(_wiggly_x, -50.0, 50.0))
WIGGLY_Y = Map(_wiggly_y, increasing_inverse(_wiggly_y, -50.0, 50.0))
TWO_HUMPS_X = _two_humps(0.0, 0.3, 5.0)
TWO_HUMPS_Y = _two_humps(-1.0, 0.5, 3.0)
SWISS_ROLL = Map(_swiss_roll, _unrolled, columns_added=1, by_coordinate=False)
