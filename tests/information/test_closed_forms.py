"""Closed forms against quadrature, against each other, and as information should behave."""

from __future__ import annotations

from math import inf, log

import numpy as np
import pytest
import torch
from scipy import integrate, stats
from scipy.special import xlogy

from infomax import information as info
from infomax.errors import InputError


def covariance(d: int, seed: int = 0) -> np.ndarray:
    factor = np.random.default_rng(seed).normal(size=(d, d + 2))
    return factor @ factor.T


def test_gaussian_entropy_is_scipys():
    sigma = covariance(4)
    assert info.gaussian_entropy(sigma) == pytest.approx(stats.multivariate_normal(cov=sigma).entropy())
    assert info.gaussian_entropy(4.0) == pytest.approx(stats.norm(scale=2).entropy())


@pytest.mark.parametrize("seed", range(20))
def test_a_variable_that_others_determine_is_refused_whatever_way_it_rounds(seed):
    factor = np.random.default_rng(seed).normal(size=(4, 3))
    with pytest.raises(InputError, match="positive definite"):
        info.gaussian_entropy(factor @ factor.T)


def test_gaussian_information_is_a_difference_of_entropies():
    sigma = covariance(5)
    h = info.gaussian_entropy
    assert info.gaussian_mutual_information(sigma, 2) == pytest.approx(h(sigma[:2, :2]) + h(sigma[2:, 2:]) - h(sigma))
    given = info.gaussian_conditional_mutual_information(sigma, 2, 1)
    z, xz, yz = sigma[3:, 3:], np.delete(np.delete(sigma, 2, 0), 2, 1), sigma[2:, 2:]
    assert given == pytest.approx(h(xz) + h(yz) - h(z) - h(sigma))


def test_chain_rule_of_gaussian_information():
    """I(X; Y, Z) = I(X; Z) + I(X; Y | Z)."""
    sigma = covariance(5, seed=1)
    without_y = np.delete(np.delete(sigma, 2, 0), 2, 1)
    whole, parts = info.gaussian_mutual_information(sigma, 2), info.gaussian_mutual_information(without_y, 2)
    assert whole == pytest.approx(parts + info.gaussian_conditional_mutual_information(sigma, 2, 1))


def test_gaussian_information_from_correlations():
    rho = np.array([0.9, 0.5, 0.0])
    sigma = np.block([[np.eye(3), np.diag(rho)], [np.diag(rho), np.eye(3)]])
    assert info.gaussian_mutual_information(sigma, 3) == pytest.approx(info.correlation_mutual_information(rho))
    assert info.correlation_mutual_information([0.5, 1.0]) == inf
    assert info.correlation_mutual_information(1e-9) == pytest.approx(5e-19)  # log(1 - ρ²) would be 0


def test_gaussian_information_ignores_scales():
    """Invariant to scaling each variable, even to 10^±150."""
    sigma, scales = covariance(3), np.array([1e-150, 1.0, 1e150])
    scaled = sigma * np.outer(scales, scales)
    assert info.gaussian_mutual_information(scaled, 1) == pytest.approx(info.gaussian_mutual_information(sigma, 1))


def test_gaussian_forms_are_differentiable():
    factor = torch.randn(4, 6, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()

    def all_of(factor: torch.Tensor) -> torch.Tensor:
        sigma = factor @ factor.t()
        conditional = info.gaussian_conditional_mutual_information(sigma, 1, 2)
        return torch.stack([info.gaussian_entropy(sigma), info.gaussian_mutual_information(sigma, 2), conditional])

    assert torch.autograd.gradcheck(all_of, factor)
    rho = torch.tensor([0.3, -0.8, 0.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(info.correlation_mutual_information, rho)


def test_gaussian_channel_is_a_gaussian_pair():
    power, noise = 3.0, 2.0
    pair = [[power, power], [power, power + noise]]
    assert info.gaussian_channel_capacity(power / noise) == pytest.approx(info.gaussian_mutual_information(pair, 1))


@pytest.mark.parametrize("rho", [0.0, 0.7])
@pytest.mark.parametrize("degrees", [1, 3, 10.5])
def test_student_t_by_quadrature(rho, degrees):
    """By the trapezium rule in asinh x and asinh y, which heavy tails fall off exponentially in."""
    s = np.linspace(-17, 17, 801)
    x, step = np.sinh(s), s[1] - s[0]
    joint = stats.multivariate_t(shape=[[1, rho], [rho, 1]], df=degrees).logpdf(np.stack(np.meshgrid(x, x), -1))
    margin = stats.t(df=degrees).logpdf(x)
    mass = np.exp(joint) * np.outer(np.cosh(s), np.cosh(s)) * step**2
    assert mass.sum() == pytest.approx(1, abs=1e-6)
    found = (mass * (joint - margin[:, None] - margin[None, :])).sum()
    assert info.student_t_mutual_information([[1, rho], [rho, 1]], 1, degrees) == pytest.approx(found, abs=1e-5)


def test_student_t_by_sampling_in_more_dimensions():
    """The mean log density ratio of draws, d_x = 2, d_y = 1, within 5 standard errors."""
    sigma, degrees, rng = covariance(3, seed=2), 4.0, np.random.default_rng(0)
    draws = stats.multivariate_t(shape=sigma, df=degrees).rvs(40_000, random_state=rng)
    ratio = stats.multivariate_t(shape=sigma, df=degrees).logpdf(draws)
    ratio -= stats.multivariate_t(shape=sigma[:2, :2], df=degrees).logpdf(draws[:, :2])
    ratio -= stats.multivariate_t(shape=sigma[2:, 2:], df=degrees).logpdf(draws[:, 2])
    error = ratio.std() / np.sqrt(len(ratio))
    assert abs(info.student_t_mutual_information(sigma, 2, degrees) - ratio.mean()) < 5 * error
    assert error < 0.01


def test_student_t_of_many_degrees_is_gaussian():
    sigma = covariance(4)
    gaussian = info.gaussian_mutual_information(sigma, 2)
    assert info.student_t_mutual_information(sigma, 2, 1e6) == pytest.approx(gaussian, abs=1e-5)
    assert info.student_t_mutual_information(sigma, 2, 2) > gaussian + 0.1


@pytest.mark.parametrize("noise", [0.05, 0.4, 0.5, 0.8, 3.0])
def test_uniform_noise_is_entropy_minus_entropy(noise):
    """I = h(X + E) - h(E), the density of X + E a trapezium."""
    y = np.linspace(-noise, 1 + noise, 400_001)
    density = (np.minimum(1, y + noise) - np.maximum(0, y - noise)).clip(0) / (2 * noise)
    h = -integrate.trapezoid(xlogy(density, density), y)
    assert info.uniform_noise_mutual_information(noise) == pytest.approx(h - log(2 * noise), abs=1e-6)


@pytest.mark.parametrize("levels", [1, 2, 7])
def test_uniform_window_is_entropy_minus_entropy(levels):
    """I = h(Y) - log 2, and the density of Y is constant between whole numbers."""
    windows = np.zeros(levels + 1)
    for level in range(levels):
        windows[level : level + 2] += 1 / (2 * levels)
    assert info.uniform_window_mutual_information(levels) == pytest.approx(stats.entropy(windows) - log(2))


@pytest.mark.parametrize("shape", [0.7, 3])
def test_gamma_exponential_by_quadrature(shape):
    """Of log p(y | x) / p(y), over x by quadrature and y by its quantiles: y = -log(1 - u) / x."""
    u = (np.arange(1500) + 0.5) / 1500
    x = stats.gamma(shape).ppf(u)[:, None]
    y = -np.log1p(-u)[None, :] / x
    ratio = np.log(x) - x * y - np.log(shape) + (shape + 1) * np.log1p(y)
    assert info.gamma_exponential_mutual_information(shape) == pytest.approx(ratio.mean(), abs=4e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: info.gaussian_mutual_information([[1, 2], [2, 1]], 1), "positive definite"),
        (lambda: info.gaussian_mutual_information([[1, 1], [1, 1]], 1), "positive definite"),
        (lambda: info.gaussian_mutual_information([[1, 0.5], [0.2, 1]], 1), "symmetric"),
        (lambda: info.gaussian_mutual_information([[1, 0], [0, 0]], 1), "variances above 0"),
        (lambda: info.gaussian_mutual_information([1.0, 2.0], 1), "square"),
        (lambda: info.gaussian_mutual_information(np.eye(3), 3), "d_x must lie between 1 and 2"),
        (lambda: info.gaussian_conditional_mutual_information(np.eye(3), 0, 1), "d_x and d_y must be at least 1"),
        (lambda: info.gaussian_conditional_mutual_information(np.eye(3), 1, 2), "to condition on"),
        (lambda: info.correlation_mutual_information(1.01), "between -1 and 1"),
        (lambda: info.correlation_mutual_information(float("nan")), "between -1 and 1"),
        (lambda: info.gaussian_channel_capacity(-1.0), "at least 0"),
        (lambda: info.student_t_mutual_information(np.eye(2), 1, 0), "degrees must be"),
        (lambda: info.uniform_noise_mutual_information(0), "noise must be"),
        (lambda: info.uniform_window_mutual_information(0), "levels must be"),
        (lambda: info.gamma_exponential_mutual_information(-1.0), "shape must be"),
    ],
)
def test_closed_forms_refuse(call, message):
    with pytest.raises(InputError, match=message):
        call()
