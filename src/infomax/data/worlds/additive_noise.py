"""A uniform variable seen through uniform noise: sharp edges, where smooth estimators blur."""

from __future__ import annotations

from math import log

import numpy as np

from infomax.data.worlds.world import Pair, World
from infomax.errors import InputError


def additive_noise(epsilon: float, name: str | None = None) -> World:
    """X uniform on [0, 1], Y = X + a uniform on [-epsilon, epsilon].

    Given x, y has density 1 / 2 epsilon; alone it has the length of [y - epsilon, y + epsilon] within [0, 1] over
    2 epsilon. So the ratio is 1 / that length, and I = epsilon - log 2 epsilon up to epsilon = 1/2, 1 / 4 epsilon above.
    """
    if not epsilon > 0:
        raise InputError(f"epsilon must be above 0; got {epsilon}.")

    def draw(n: int, rng: np.random.Generator) -> Pair:
        x = rng.uniform(size=(n, 1))
        return x, x + rng.uniform(-epsilon, epsilon, size=(n, 1))

    def log_ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        length = np.minimum(y + epsilon, 1) - np.maximum(y - epsilon, 0)
        with np.errstate(divide="ignore", invalid="ignore"):  # beyond the reach of y: no pair is drawn there
            return np.where(np.abs(y - x) <= epsilon, -np.log(length), -np.inf)[:, 0]

    nats = epsilon - log(2 * epsilon) if epsilon <= 0.5 else 1 / (4 * epsilon)
    return World(name or f"uniform noise {epsilon:g}", 1, 1, nats, draw, log_ratio)
