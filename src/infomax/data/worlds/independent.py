"""Independent worlds: nothing is shared, so any report of more than nothing is a false alarm."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from infomax.data.worlds.discrete import zipf
from infomax.data.worlds.world import Pair, World

Side = Callable[[int, np.random.Generator], np.ndarray]


def independent(name: str, x_side: Side, y_side: Side) -> World:
    """x and y from their own laws, (n, generator) -> (n, d) each."""
    rng = np.random.default_rng(0)
    d_x, d_y = x_side(1, rng).shape[1], y_side(1, rng).shape[1]

    def draw(n: int, rng: np.random.Generator) -> Pair:
        return x_side(n, rng), y_side(n, rng)

    return World(name, d_x, d_y, 0.0, draw, lambda x, _: np.zeros(len(x)))


def independent_worlds() -> list[World]:
    """Light and heavy tails, ties, point masses, redundant columns, labels, few and many dimensions."""
    return [
        independent("independent normal 1x1", _normal(1), _normal(1)),
        independent("independent normal 5x5", _normal(5), _normal(5)),
        independent("independent normal 25x25", _normal(25), _normal(25)),
        independent("independent uniform 1x1", lambda n, rng: rng.uniform(size=(n, 1)), _normal(1)),
        independent("independent Cauchy 1x1", _cauchy(1), _cauchy(1)),
        independent("independent Cauchy 3x3", _cauchy(3), _cauchy(3)),
        independent("independent lognormal 2x2", _lognormal, _lognormal),
        independent("independent two clusters 2x2", _clusters, _clusters),
        independent("independent redundant columns 4x4", _redundant, _redundant),
        independent("independent ties", _rounded, _rounded),
        independent("independent zero-inflated", _zero_inflated, _zero_inflated),
        independent("independent labels and normal", _labels(5), _normal(1)),
        independent("independent counts", _counts, _counts),
        independent("independent Zipf 100", _labels(100), _labels(100)),
    ]


def _normal(d: int) -> Side:
    return lambda n, rng: rng.standard_normal((n, d))


def _cauchy(d: int) -> Side:
    return lambda n, rng: rng.standard_cauchy((n, d))


def _labels(size: int) -> Side:
    return lambda n, rng: rng.choice(size, size=(n, 1), p=zipf(size)).astype(np.int64)


def _lognormal(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.lognormal(sigma=2.0, size=(n, 2))


def _clusters(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((n, 2)) + 6.0 * rng.integers(2, size=(n, 1))


def _redundant(n: int, rng: np.random.Generator) -> np.ndarray:
    first = rng.standard_normal((n, 2))
    return np.hstack([first, first + 0.01 * rng.standard_normal((n, 2))])


def _rounded(n: int, rng: np.random.Generator) -> np.ndarray:
    return np.round(2 * rng.standard_normal((n, 1))) / 2


def _zero_inflated(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.standard_normal((n, 1)) * (rng.uniform(size=(n, 1)) < 0.3)


def _counts(n: int, rng: np.random.Generator) -> np.ndarray:
    return rng.poisson(2.0, size=(n, 1)).astype(np.int64)
