"""Conditional worlds: what x and y share once z is known, beside what they share while it is not."""

from __future__ import annotations

from math import log

import numpy as np
from scipy.special import xlogy

from infomax.data.worlds.elliptical import correlated, log_density
from infomax.data.worlds.world import ConditionalWorld, Triple
from infomax.errors import InputError


def normal_triple(name: str, covariance: np.ndarray, d_x: int, d_y: int) -> ConditionalWorld:
    """Jointly normal (x, y, z) in this order of columns.

    I(X; Y | Z) = (log det S_xz + log det S_yz - log det S_z - log det S) / 2.
    """
    size = len(covariance)
    columns = np.arange(size)
    x_only, y_only, z_only = columns[:d_x], columns[d_x : d_x + d_y], columns[d_x + d_y :]
    with_x, with_y = np.r_[x_only, z_only], np.r_[y_only, z_only]
    factor = np.linalg.cholesky(covariance)

    def draw(n: int, rng: np.random.Generator) -> Triple:
        values = rng.standard_normal((n, size)) @ factor.T
        return values[:, x_only], values[:, y_only], values[:, z_only]

    def log_ratio(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        values = np.hstack([x, y, z])
        parts = [(columns, 1), (z_only, 1), (with_x, -1), (with_y, -1)]
        return sum((sign * log_density(values[:, c], covariance[np.ix_(c, c)]) for c, sign in parts), np.zeros(len(x)))

    half = {
        tuple(c): np.linalg.slogdet(covariance[np.ix_(c, c)])[1] / 2 for c in (x_only, y_only, z_only, with_x, with_y)
    }
    joint = np.linalg.slogdet(covariance)[1] / 2
    given = half[tuple(with_x)] + half[tuple(with_y)] - half[tuple(z_only)] - joint
    both = columns[: d_x + d_y]
    unseen = half[tuple(x_only)] + half[tuple(y_only)] - np.linalg.slogdet(covariance[np.ix_(both, both)])[1] / 2
    return ConditionalWorld(
        name, d_x, d_y, len(z_only), max(float(given), 0.0), max(float(unseen), 0.0), draw, log_ratio
    )


def common_cause(d_z: int, pull: float, rho: float) -> ConditionalWorld:
    """x = pull · (sum of z) / √d_z + e and y likewise, all normal, corr(e, f) = rho: I(X; Y | Z) = -log(1 - rho²) / 2."""
    load = np.zeros((2 + d_z, 2 + d_z))
    load[:2, 2:] = pull / np.sqrt(d_z)
    load[2:, 2:] = np.eye(d_z)
    noise = np.array([[1.0, rho], [rho, 1.0]])
    covariance = load @ load.T
    covariance[:2, :2] += noise
    return normal_triple(f"common cause of {d_z}, pull {pull:g}, partial correlation {rho:g}", covariance, 1, 1)


def table_triple(name: str, joint: np.ndarray) -> ConditionalWorld:
    """The law P(x, y, z) = joint[x, y, z]."""
    joint = joint / joint.sum()
    cumulative = np.cumsum(joint)
    p_z = joint.sum(axis=(0, 1), keepdims=True)
    chance = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):  # empty cells are never drawn
        ratios = np.log(joint) + np.log(p_z) - np.log(chance)
    pair = joint.sum(axis=2)
    alone = pair.sum(axis=1, keepdims=True) * pair.sum(axis=0)
    given = float((xlogy(joint, joint) + xlogy(joint, np.broadcast_to(p_z, joint.shape)) - xlogy(joint, chance)).sum())
    unseen = float((xlogy(pair, pair) - xlogy(pair, alone)).sum())

    def draw(n: int, rng: np.random.Generator) -> Triple:
        cells = np.searchsorted(cumulative, rng.uniform(0, cumulative[-1], size=n), side="right")
        x, y, z = np.unravel_index(cells, joint.shape)
        return x[:, None].astype(np.int64), y[:, None].astype(np.int64), z[:, None].astype(np.int64)

    return ConditionalWorld(
        name, 1, 1, 1, max(given, 0.0), max(unseen, 0.0), draw, lambda x, y, z: ratios[x[:, 0], y[:, 0], z[:, 0]]
    )


def opposite_groups(rho: float) -> ConditionalWorld:
    """z one of two groups; x and y correlate by rho in the one and by -rho in the other, and hardly at all together.

    I(X; Y | Z) = -log(1 - rho²) / 2; the density of the two groups together is even in x, and I(X; Y) is by quadrature.
    """
    if not abs(rho) <= 0.999:
        raise InputError(f"rho must lie between -0.999 and 0.999, where the quadrature holds; got {rho}.")
    world = correlated(rho)
    assert world.log_ratio is not None
    ratio = world.log_ratio

    def draw(n: int, rng: np.random.Generator) -> Triple:
        x, y = world.draw(n, rng)
        z = rng.integers(2, size=(n, 1))
        return x, np.where(z == 0, y, -y), z

    def log_ratio(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
        return ratio(x, np.where(z == 0, y, -y))

    grid = np.linspace(-9.0, 9.0, 361)
    x, y = (side.reshape(-1, 1) for side in np.meshgrid(grid, grid))
    together = np.logaddexp(ratio(x, y), ratio(x, -y)) - log(2)
    weight = np.exp(-0.5 * (x**2 + y**2))[:, 0]
    unseen = float((weight * np.exp(together)) @ together / weight.sum())
    name = f"two groups, correlation {rho:g} and {-rho:g}"
    return ConditionalWorld(name, 1, 1, 1, world.mutual_information, unseen, draw, log_ratio)


def conditional_worlds() -> list[ConditionalWorld]:
    """Chains x - z - y (nothing left once z is known), common causes, hidden dependence, discrete and mixed."""
    flip = np.array([[0.9, 0.1], [0.1, 0.9]])
    exclusive_or = np.array([[[x ^ y == z for z in (0, 1)] for y in (0, 1)] for x in (0, 1)], dtype=float)
    return [
        common_cause(1, 1.0, 0.0),
        common_cause(1, 1.0, 0.6),
        common_cause(1, 3.0, 0.0),
        common_cause(5, 2.0, 0.0),
        common_cause(5, 2.0, 0.8),
        table_triple("binary chain x - z - y", np.einsum("xz,yz->xyz", flip, flip)),
        table_triple("exclusive or", exclusive_or),
        table_triple("random 3x4x5", np.random.default_rng(1).dirichlet(np.full(60, 0.5)).reshape(3, 4, 5)),
        opposite_groups(0.9),
    ]
