"""Mutual information of continuous laws that is known in closed form, in nats: worlds that estimators are judged by."""

from __future__ import annotations

from math import log
from numbers import Integral
from typing import Any

from scipy.special import digamma

from infomax.data.worlds.elliptical import common_scale_nats
from infomax.errors import InputError
from infomax.information.gaussian import gaussian_mutual_information


def student_t_mutual_information(dispersion: Any, d_x: int, degrees: int | float) -> float:
    """I(X; Y) of a multivariate Student-t: the Gaussian value, and what the common scale tells even at correlation 0.

    Arellano-Valle, Contreras-Reyes & Genton 2013; with f(v) = log Γ(v/2) - v/2 ψ(v/2) the second part is
    f(ν) + f(ν + d) - f(ν + d_x) - f(ν + d_y). The dispersion is the scale matrix, not the covariance, which ν <= 2 has not.

    Args:
        dispersion: (d, d) positive definite scale matrix of x and y together.
        d_x: how many of the variables, the first ones, are x.
        degrees: of freedom, above 0.

    Raises:
        InputError: no such matrix or number.

    >>> round(student_t_mutual_information([[1.0, 0.0], [0.0, 1.0]], 1, 1), 4)  # log 8π - 3
    0.2242
    """
    _above(degrees, "degrees")
    shape = float(gaussian_mutual_information(dispersion, d_x))
    return shape + common_scale_nats(d_x, len(dispersion) - d_x, degrees)


def uniform_noise_mutual_information(noise: int | float) -> float:
    """I(X; X + E), X uniform on [0, 1], E uniform on [-noise, noise] (Czyż et al. 2023, arXiv:2306.11078).

    >>> uniform_noise_mutual_information(0.5), uniform_noise_mutual_information(1)
    (0.5, 0.25)
    """
    _above(noise, "noise")
    return noise - log(2 * noise) if noise <= 0.5 else 1 / (4 * noise)


def uniform_window_mutual_information(levels: Any) -> float:
    """I(X; Y), X uniform on 0 ... levels - 1, Y uniform on [X, X + 2]: discrete and continuous (Gao et al. 2017).

    >>> uniform_window_mutual_information(1), round(uniform_window_mutual_information(5), 4)
    (0.0, 1.0549)
    """
    if not isinstance(levels, Integral) or levels < 1:
        raise InputError(f"levels must be a whole number of at least 1; got {levels!r}.")
    return log(levels) - (int(levels) - 1) / int(levels) * log(2)


def gamma_exponential_mutual_information(shape: int | float) -> float:
    """I(X; Y) = ψ(shape + 1) - log(shape), X gamma of this shape, Y exponential of rate X (Darbellay & Vajda 2000).

    >>> round(gamma_exponential_mutual_information(1), 4)
    0.4228
    """
    _above(shape, "shape")
    return float(digamma(shape + 1)) - log(shape)


def _above(value: int | float, name: str) -> None:
    if not 0 < value < float("inf"):
        raise InputError(f"{name} must be a finite number above 0; got {value!r}.")
