"""Gaussian and Student-t worlds: one dispersion matrix, closed forms for the value and for the pointwise ratio.

A Gaussian is a Student-t of infinitely many degrees of freedom. A Student-t of finitely many has mutual information
even at dispersion 1, because all coordinates share one random scale: x far out says that y may be far out too.
"""

from __future__ import annotations

from math import inf, log, log1p, pi

import numpy as np
from scipy.special import digamma, gammaln

from infomax.data.worlds.world import Pair, World
from infomax.errors import InputError


def elliptical(name: str, dispersion: np.ndarray, d_x: int, degrees: int | float = inf) -> World:
    """The Student-t with this dispersion and so many degrees of freedom (Gaussian: infinity), cut after column d_x.

    I = (log det S_x + log det S_y - log det S) / 2 + c, where c collects the entropies of the spherical Student-t of
    d_x, d_y and d_x + d_y columns (Arellano-Valle et al. 2013, equation 7) and is 0 for a Gaussian.
    """
    size, factor = len(dispersion), _factor(dispersion)
    if not 1 <= d_x < size:
        raise InputError(f"d_x must leave a column for each side, 1 to {size - 1}; got {d_x}.")

    def draw(n: int, rng: np.random.Generator) -> Pair:
        values = rng.standard_normal((n, size)) @ factor.T
        if degrees < inf:
            values /= np.sqrt(rng.chisquare(degrees, size=(n, 1)) / degrees)
        return values[:, :d_x], values[:, d_x:]

    x_part, y_part = dispersion[:d_x, :d_x], dispersion[d_x:, d_x:]

    def log_ratio(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        joint = log_density(np.hstack([x, y]), dispersion, degrees)
        return joint - log_density(x, x_part, degrees) - log_density(y, y_part, degrees)

    nats = (_log_det(x_part) + _log_det(y_part) - _log_det(dispersion)) / 2
    nats = max(nats, 0.0) + common_scale_nats(d_x, size - d_x, degrees)
    return World(name, d_x, size - d_x, nats, draw, log_ratio, gaussian=degrees == inf)


def log_density(values: np.ndarray, dispersion: np.ndarray, degrees: int | float = inf) -> np.ndarray:
    """(n,) log density of rows (n, d) under the centred Student-t."""
    d = len(dispersion)
    squares = (np.linalg.solve(np.linalg.cholesky(dispersion), values.T) ** 2).sum(axis=0)
    if degrees == inf:
        return -0.5 * (squares + d * log(2 * pi) + _log_det(dispersion))
    constant = gammaln((degrees + d) / 2) - gammaln(degrees / 2) - 0.5 * (d * log(degrees * pi) + _log_det(dispersion))
    return constant - 0.5 * (degrees + d) * np.log1p(squares / degrees)


def pairs_of(correlations: list[float], d_x: int | None = None, d_y: int | None = None) -> np.ndarray:
    """Correlation matrix in which x_i and y_i correlate by correlations[i], and nothing else does."""
    d_x, d_y = d_x or len(correlations), d_y or len(correlations)
    matrix = np.eye(d_x + d_y)
    for i, rho in enumerate(correlations):
        matrix[i, d_x + i] = matrix[d_x + i, i] = rho
    return matrix


def equicorrelated(size: int, rho: float) -> np.ndarray:
    """Correlation matrix in which all pairs of coordinates correlate by rho."""
    return np.full((size, size), rho) + (1 - rho) * np.eye(size)


def correlation_of(nats: float) -> float:
    """The correlation of two Gaussian variables that share so many nats: sqrt(1 - exp(-2 I)).

    >>> round(correlation_of(correlated(0.6).mutual_information), 12)
    0.6
    """
    return float(np.sqrt(-np.expm1(-2 * nats)))


def correlated(rho: float) -> World:
    """Two Gaussian variables of correlation rho: I = -log(1 - rho²) / 2."""
    return elliptical(f"normal 1x1, correlation {rho:g}", pairs_of([rho]), 1)


def common_scale_nats(d_x: int, d_y: int, degrees: int | float) -> float:
    """What the scale that all columns of a Student-t share tells, in nats: its information at dispersion 1.

    f(v) + f(v + d) - f(v + d_x) - f(v + d_y) with f(v) = log Γ(v/2) - v/2 ψ(v/2). From 100 degrees on by Stirling's series of
    f, in which what is large cancels before it is computed: the sum is d_x d_y / 2v² to first order.

    Raises:
        InputError: degrees of freedom that are not above 0.
    """
    if not degrees > 0:
        raise InputError(f"degrees must be above 0; got {degrees!r}.")
    if degrees == inf:
        return 0.0
    v, d = float(degrees), d_x + d_y
    signed = ((v, 1), (v + d, 1), (v + d_x, -1), (v + d_y, -1))
    if v < 100:
        return float(sum(sign * (gammaln(u / 2) - u / 2 * digamma(u / 2)) for u, sign in signed))
    most = 0.5 * log1p(d_x * d_y / v / (v + d))  # of -log(u) / 2
    next_ = d_x * d_y * (2 * v + d) / v / (v + d_x) / (v + d) / (v + d_y) / 3  # of 1 / 3u
    return most + next_ + sum(sign * (-4 / 45 * (1 / u) ** 3 + 16 / 105 * (1 / u) ** 5) for u, sign in signed)


def _factor(dispersion: np.ndarray) -> np.ndarray:
    """Raises InputError for what is no dispersion."""
    try:
        if not np.allclose(dispersion, dispersion.T):
            raise np.linalg.LinAlgError
        return np.linalg.cholesky(dispersion)
    except np.linalg.LinAlgError:
        raise InputError(
            "the dispersion must be symmetric and positive definite: correlations between -1 and 1."
        ) from None


def _log_det(matrix: np.ndarray) -> float:
    return float(np.linalg.slogdet(matrix)[1])
