"""Entropy and mutual information of jointly Gaussian variables, from their covariance (Cover & Thomas 2006, chapter 8).

All take numpy arrays, or torch tensors, which stay differentiable. Log-determinants are those of the correlations, so that
neither the scales nor the units of the variables matter to them.
"""

from __future__ import annotations

from math import e, pi
from typing import Any

import numpy as np

from infomax.errors import InputError
from infomax.information.distributions import answer, floating, namespace, number


def gaussian_entropy(covariance: Any) -> Any:
    """Differential entropy in nats, ½ log det(2πe Σ); may be negative.

    Args:
        covariance: (d, d) positive definite; a number is a variance.

    Raises:
        InputError: no covariance matrix.

    >>> round(gaussian_entropy([[1.0, 0.0], [0.0, 4.0]]), 4)
    3.531
    """
    sigma, correlation, scales = _covariance(covariance)
    xp = namespace(sigma)
    log_det = _log_det(correlation) + 2 * xp.log(scales).sum()
    return answer(0.5 * (log_det + len(scales) * xp.log(xp.ones_like(log_det) * 2 * pi * e)))


def gaussian_mutual_information(covariance: Any, d_x: int) -> Any:
    """I(X; Y) = ½ log (det Σ_x det Σ_y / det Σ) in nats.

    Args:
        covariance: (d, d) positive definite, of x and y together.
        d_x: how many of the variables, the first ones, are x; the others are y.

    Raises:
        InputError: no covariance matrix, or a `d_x` that leaves a side empty.

    >>> round(gaussian_mutual_information([[1.0, 0.6], [0.6, 1.0]], 1), 4)
    0.2231
    """
    _, correlation, scales = _covariance(covariance)
    if not isinstance(d_x, int | np.integer) or not 0 < d_x < len(scales):
        raise InputError(f"d_x must lie between 1 and {len(scales) - 1}, so that both sides have variables; got {d_x}.")
    x, y = correlation[:d_x, :d_x], correlation[d_x:, d_x:]
    return answer(0.5 * (_log_det(x) + _log_det(y) - _log_det(correlation)))


def gaussian_conditional_mutual_information(covariance: Any, d_x: int, d_y: int) -> Any:
    """I(X; Y | Z) in nats: the first d_x variables are x, the next d_y are y, the others are z.

    Raises:
        InputError: no covariance matrix, or a side without variables.

    >>> chain = [[1.0, 0.25, 0.5], [0.25, 1.0, 0.5], [0.5, 0.5, 1.0]]  # x - z - y
    >>> abs(gaussian_conditional_mutual_information(chain, 1, 1)) < 1e-12
    True
    """
    _, correlation, scales = _covariance(covariance)
    whole = isinstance(d_x, int | np.integer) and isinstance(d_y, int | np.integer)
    if not whole or d_x < 1 or d_y < 1 or d_x + d_y >= len(scales):
        raise InputError(
            f"d_x and d_y must be at least 1 and leave a variable of the {len(scales)} to condition on; got {d_x} and {d_y}."
        )
    both = d_x + d_y
    z = list(range(both, len(scales)))
    x_and_z, y_and_z = [*range(d_x), *z], [*range(d_x, both), *z]
    parts = (_log_det(correlation[kept][:, kept]) for kept in (x_and_z, y_and_z, z))
    xz, yz, alone = parts
    return answer(0.5 * (xz + yz - alone - _log_det(correlation)))


def correlation_mutual_information(rho: Any) -> Any:
    """-½ sum log(1 - ρ²) in nats: of two Gaussian variables of correlation ρ, or of canonical correlations.

    Args:
        rho: one correlation, or an array of canonical correlations; infinite where one is ±1.

    Raises:
        InputError: a number outside [-1, 1].

    >>> round(correlation_mutual_information(0.6), 4)
    0.2231
    """
    rho = floating(rho, "rho")
    xp = namespace(rho)
    if not bool((abs(rho) <= 1).all()):
        raise InputError("rho must hold correlations between -1 and 1; got a number outside, or NaN.")
    certain = abs(rho) == 1
    infinite = xp.where(certain, float("inf"), 0.0).sum()
    return answer(infinite - 0.5 * xp.log1p(-(xp.where(certain, 0.0, rho) ** 2)).sum())


def gaussian_channel_capacity(signal_to_noise: Any) -> Any:
    """½ log(1 + S/N) in nats a use: the most that x + Gaussian noise tells about x of power S (Shannon 1948).

    >>> round(gaussian_channel_capacity(15.0) / 0.6931471805599453, 6)  # in bits
    2.0
    """
    ratio = floating(signal_to_noise, "signal_to_noise")
    if not bool((ratio >= 0).all()):
        raise InputError("signal_to_noise must be a ratio of powers of at least 0; got a negative number, or NaN.")
    return answer(0.5 * namespace(ratio).log1p(ratio).sum())


def _covariance(value: Any) -> tuple[Any, Any, Any]:
    """The matrix, its correlations, and the standard deviations. Raises InputError where it is no covariance."""
    sigma = floating(value, "covariance")
    xp = namespace(sigma)
    sigma = sigma.reshape(1, 1) if not tuple(sigma.shape) else sigma
    if len(sigma.shape) != 2 or sigma.shape[0] != sigma.shape[1] or not len(sigma):
        raise InputError(f"covariance must be a square matrix; got shape {tuple(sigma.shape)}.")
    if not bool(xp.isfinite(sigma).all()) or not bool((xp.diagonal(sigma) > 0).all()):
        raise InputError("covariance must be finite, with variances above 0: leave out constant variables.")
    scales = xp.diagonal(sigma) ** 0.5
    correlation = sigma / scales[:, None] / scales[None, :]
    if number(abs(correlation - correlation.T).max()) > 1e-6:
        raise InputError("covariance must be symmetric; it is not.")
    least = number(xp.linalg.eigvalsh(correlation).min())
    if least <= len(sigma) * xp.finfo(sigma.dtype).eps:
        raise InputError(
            f"covariance must be positive definite; the least eigenvalue of its correlations is {least:.3g}. Leave out"
            " variables that are determined by others: information about those is infinite."
        )
    return sigma, correlation, scales


def _log_det(matrix: Any) -> Any:
    return namespace(matrix).linalg.slogdet(matrix)[1]
