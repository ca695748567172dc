"""Time series: correlated autoregressions. The pairs of one moment share what their correlation says, but successive
pairs repeat each other, so that n of them say less than n independent ones would."""

from __future__ import annotations

from math import ceil, log

import numpy as np
from scipy.signal import lfilter

from infomax.data.worlds.elliptical import log_density, pairs_of
from infomax.data.worlds.world import Pair, World
from infomax.errors import InputError


def autoregressions(rho: float, memory_x: float, memory_y: float) -> World:
    """x_t = memory_x · x_{t-1} + e_t, y likewise, e and f normal and correlated by rho; stationary, unit variance.

    The correlation of x_t and y_t is r = rho · sqrt((1 - a²)(1 - b²)) / (1 - a b), and I(x_t; y_t) = -log(1 - r²) / 2.
    """
    for name, value in (("rho", rho), ("memory_x", memory_x), ("memory_y", memory_y)):
        if not abs(value) < 1:
            raise InputError(f"{name} must lie between -1 and 1; got {value}.")
    spread_x, spread_y = np.sqrt(1 - memory_x**2), np.sqrt(1 - memory_y**2)
    r = rho * spread_x * spread_y / (1 - memory_x * memory_y)
    matrix, steps = pairs_of([r]), pairs_of([rho])

    def draw(n: int, rng: np.random.Generator) -> Pair:
        shocks = rng.standard_normal((n, 2)) @ np.linalg.cholesky(steps).T * [spread_x, spread_y]
        shocks[:1] = rng.standard_normal(2) @ np.linalg.cholesky(matrix).T
        x, y = (lfilter([1.0], [1.0, -a], shocks[:, i]) for i, a in enumerate((memory_x, memory_y)))
        return x[:, None], y[:, None]

    def log_ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        one = np.eye(1)
        return log_density(np.hstack([x, y]), matrix) - log_density(x, one) - log_density(y, one)

    slowest = max(abs(memory_x), abs(memory_y))
    block = ceil(log(0.05) / log(slowest)) if slowest > 0 else 1  # until a correlation has fallen to 0.05
    name = f"autoregressions {memory_x:g} and {memory_y:g}, correlation {r:.3g}"
    return World(name, 1, 1, float(-np.log1p(-(r**2)) / 2), draw, log_ratio, gaussian=True, block=block)


def time_series() -> list[World]:
    """Quick and slow ones, dependent and independent."""
    return [
        autoregressions(0.0, 0.5, 0.5),
        autoregressions(0.0, 0.95, 0.95),
        autoregressions(0.6, 0.5, 0.5),
        autoregressions(0.6, 0.9, 0.9),
        autoregressions(0.8, 0.9, 0.3),
    ]
