"""Discrete worlds: a joint table says everything."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from infomax.data.worlds.world import Pair, World
from infomax.errors import InputError


def table(name: str, joint: Any) -> World:
    """The law P(x = i, y = j) = joint[i, j]: I = sum of p log p / (p_x p_y)."""
    joint = np.asarray(joint, dtype=np.float64)
    if joint.ndim != 2 or not np.isfinite(joint).all() or (joint < 0).any() or not joint.any():
        raise InputError("a joint table must be a matrix of finite numbers, none below 0 and not all 0.")
    joint = joint / joint.sum()
    chance = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    cumulative = np.cumsum(joint)
    with np.errstate(divide="ignore", invalid="ignore"):  # empty cells are never drawn
        ratios = np.log(joint) - np.log(chance)

    def draw(n: int, rng: np.random.Generator) -> Pair:
        cells = np.searchsorted(cumulative, rng.uniform(0, cumulative[-1], size=n), side="right")
        x, y = np.divmod(cells.astype(np.int64), joint.shape[1])
        return x[:, None], y[:, None]

    nats = float((xlogy(joint, joint) - xlogy(joint, chance)).sum())
    return World(name, 1, 1, max(nats, 0.0), draw, lambda x, y: ratios[x[:, 0], y[:, 0]])


def binary_symmetric(error: float) -> World:
    """A fair bit and the same bit, flipped with probability `error`: I = log 2 - h(error).

    >>> round(binary_symmetric(0.11).mutual_information, 6)
    0.346632
    """
    return table(f"binary symmetric channel, {error:g}", np.array([[1 - error, error], [error, 1 - error]]))


def copied(name: str, marginal: ArrayLike, keep: float) -> World:
    """y is x with probability `keep`, else drawn afresh: dependence on the diagonal alone, the same marginals."""
    p = np.asarray(marginal, dtype=float) / np.sum(marginal)
    return table(name, keep * np.diag(p) + (1 - keep) * np.outer(p, p))


def zipf(size: int, exponent: float = 1.0) -> np.ndarray:
    """(size,) probabilities proportional to 1 / rank^exponent."""
    weights = 1.0 / np.arange(1, size + 1) ** exponent
    return weights / weights.sum()


def discrete_worlds() -> list[World]:
    """Small and large alphabets, even and very uneven ones, noisy and deterministic maps."""
    rng = np.random.default_rng(0)
    groups = np.repeat(np.eye(4), 3, axis=0)
    return [
        binary_symmetric(0.11),
        binary_symmetric(0.4),
        table("binary erasure channel, 0.3", np.array([[0.7, 0.3, 0.0], [0.0, 0.3, 0.7]])),
        table("rare binary, 2 %", np.array([[0.972, 0.008], [0.008, 0.012]])),
        table("random 5x7", rng.dirichlet(np.full(35, 0.5)).reshape(5, 7)),
        table("twelve into four, deterministic", groups * zipf(12)[:, None]),
        copied("even 20, half copied", np.full(20, 0.05), 0.5),
        copied("even 300, a fifth copied", np.full(300, 1 / 300), 0.2),
        copied("Zipf 50, half copied", zipf(50), 0.5),
        copied("Zipf 1000, a third copied", zipf(1000), 1 / 3),
    ]
