"""Mixed worlds: a discrete side beside a continuous one, or a continuous side with a point mass.

Densities are taken with respect to length plus counting measure, so the log ratio needs no distinction.
"""

from __future__ import annotations

from math import log, log1p

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln, logsumexp

from infomax.data.worlds.discrete import table
from infomax.data.worlds.elliptical import correlated
from infomax.data.worlds.world import Pair, World
from infomax.errors import InputError


def labelled_normals(name: str, weights: ArrayLike, means: ArrayLike) -> World:
    """x is a label with these weights, y normal about the mean of its label. I by quadrature (error below 1e-10)."""
    p, centres = np.asarray(weights, dtype=float), np.asarray(means, dtype=float)
    if p.shape != centres.shape or p.ndim != 1 or not (p > 0).all() or not np.isfinite(p.sum() + centres).all():
        raise InputError("labels need finite means, one each, and finite weights above 0.")
    p = p / p.sum()

    def draw(n: int, rng: np.random.Generator) -> Pair:
        x = rng.choice(len(p), size=n, p=p)
        return x[:, None].astype(np.int64), (centres[x] + rng.standard_normal(n))[:, None]

    def log_ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        kernels = -0.5 * (y - centres) ** 2
        return np.take_along_axis(kernels, x, axis=1)[:, 0] - logsumexp(kernels, axis=1, b=p)

    grid = np.linspace(-12.0, 12.0, 4801)  # the trapezium rule converges geometrically on an analytic, fading integrand
    density = np.exp(-0.5 * grid**2)
    nats = 0.0
    for label, weight in enumerate(p):
        ratio = log_ratio(np.full((len(grid), 1), label), (centres[label] + grid)[:, None])
        nats += weight * float(density @ ratio) / float(density.sum())
    return World(name, 1, 1, nats, draw, log_ratio)


def overlapping_steps(size: int) -> World:
    """x a label of 0 ... size - 1, y uniform on [x, x + 2] (Gao et al. 2017): I = log m - (m - 1) / m · log 2."""

    def draw(n: int, rng: np.random.Generator) -> Pair:
        x = rng.integers(size, size=(n, 1))
        return x, x + rng.uniform(0, 2, size=(n, 1))

    def log_ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        covering = ((y >= 1) & (y < size)) + 1  # how many labels reach y; the ends are reached by one
        inside = (y >= x) & (y <= x + 2)
        return np.where(inside, log(size) - np.log(covering), -np.inf)[:, 0]

    return World(f"{size} overlapping steps", 1, 1, log(size) - (size - 1) / size * log(2), draw, log_ratio)


def noisy_sign(error: float) -> World:
    """x normal, y its sign as 0 or 1, wrong with probability `error`: I = log 2 - h(error)."""
    bits = table("", np.array([[1 - error, error], [error, 1 - error]]))
    assert bits.log_ratio is not None
    of_bits = bits.log_ratio

    def draw(n: int, rng: np.random.Generator) -> Pair:
        sign, y = bits.draw(n, rng)
        return np.abs(rng.standard_normal((n, 1))) * (2 * sign - 1), y

    def log_ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return of_bits((x > 0).astype(np.int64), y)

    return World(f"sign of a normal, {error:g} wrong", 1, 1, bits.mutual_information, draw, log_ratio)


def zero_inflated_pair(joint: np.ndarray, rho: float) -> World:
    """Each side is 0 or else a normal value: joint[i, j] says how often x and y are (0) or are not (1) zero.

    The zeros can be read off the values, so I = I(zeros) + joint[1, 1] · I(normals of correlation rho).
    """
    zeros, normals = table("", joint), correlated(rho)
    assert zeros.log_ratio is not None
    assert normals.log_ratio is not None
    of_zeros, of_normals = zeros.log_ratio, normals.log_ratio

    def draw(n: int, rng: np.random.Generator) -> Pair:
        u, v = zeros.draw(n, rng)
        a, b = normals.draw(n, rng)
        return u * a, v * b

    def log_ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        u, v = (x != 0).astype(np.int64), (y != 0).astype(np.int64)
        return of_zeros(u, v) + (u * v)[:, 0] * of_normals(x, y)

    nats = zeros.mutual_information + joint[1, 1] / joint.sum() * normals.mutual_information
    return World(f"zero-inflated normals, correlation {rho:g}", 1, 1, nats, draw, log_ratio)


def zero_inflated_counts(zero: float) -> World:
    """x exponential, y Poisson of mean x, but 0 with probability `zero` whatever x is. I by quadrature.

    The (1 - zero) · 0.3012 that Gao et al. (2017) state for this law counts the added zeros as if they could be told
    from the others.
    """
    if not 0 < zero < 1:
        raise InputError(f"zero must be a probability between 0 and 1; got {zero}.")

    def log_given(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        poisson = log1p(-zero) + y * np.log(x) - x - gammaln(y + 1)
        return np.where(y == 0, np.logaddexp(log(zero), poisson), poisson)

    def log_alone(y: np.ndarray) -> np.ndarray:
        geometric = log1p(-zero) - (y + 1) * log(2)
        return np.where(y == 0, np.logaddexp(log(zero), geometric), geometric)

    def draw(n: int, rng: np.random.Generator) -> Pair:
        x = rng.exponential(size=(n, 1))
        y = rng.poisson(x) * (rng.uniform(size=(n, 1)) >= zero)
        return x, y.astype(np.int64)

    nodes, weights = np.polynomial.legendre.leggauss(400)
    root = 4.0 * (nodes + 1)  # x = root², up to 64: the logarithm at 0 loses its edge
    x, measure = root**2, 8.0 * weights * root * np.exp(-(root**2))
    counts = np.arange(201.0)[:, None]
    given = log_given(x, counts)
    nats = float(((np.exp(given) * (given - log_alone(counts))) @ measure).sum())
    name = f"zero-inflated counts, {zero:g}"
    return World(name, 1, 1, nats, draw, lambda x, y: (log_given(x, y) - log_alone(y))[:, 0])


def mixed_worlds() -> list[World]:
    """Labels against values, values against labels, point masses on both sides."""
    return [
        labelled_normals("two labels, means 0 and 2", [0.5, 0.5], [0, 2]),
        labelled_normals("rare label, mean 3", [0.95, 0.05], [0, 3]),
        labelled_normals("five labels, means 0 to 8", [1, 2, 3, 2, 1], [0, 2, 4, 6, 8]),
        overlapping_steps(5),
        overlapping_steps(20),
        noisy_sign(0.1),
        zero_inflated_pair(np.array([[0.4, 0.1], [0.1, 0.4]]), 0.8),
        zero_inflated_pair(np.array([[0.81, 0.09], [0.09, 0.01]]), 0.9),
        zero_inflated_counts(0.15),
    ]
