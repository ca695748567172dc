"""Canonical pairs: correlations of subspaces, their null edge, and the Gaussian log ratio."""

import numpy as np
import pytest
from scipy.special import airy
from scipy.stats import wishart

from infomax.estimators.canonical import (
    TRACY_WIDOM_95,
    CanonicalPairs,
    gaussian_log_ratio,
    gaussian_nats,
    gaussian_table,
)


def pairs_of(rho, n, d, rng):
    """(n, d) sides; the first coordinates correlate by the entries of rho, each side then mixed linearly."""
    x, y = rng.normal(size=(2, n, d))
    k = len(rho)
    y[:, :k] = rho * x[:, :k] + np.sqrt(1 - np.square(rho)) * y[:, :k]
    return x @ rng.normal(size=(d, d)) + 3.0, y @ rng.normal(size=(d, d)) - 1.0


def pairs_with(rho, x_rank, y_rank, n):
    """Canonical pairs of which nothing but the correlations and their degrees of freedom are known."""
    empty = np.zeros(0)
    return CanonicalPairs(empty, empty, empty, empty, np.asarray(rho), x_rank, y_rank, n)


def test_variates_are_white_and_correlate_pairwise():
    x, y = pairs_of([0.9, 0.5], 300, 4, np.random.default_rng(0))
    pairs = CanonicalPairs.fit(x, y)
    u, v = pairs.variates(x, y)
    np.testing.assert_allclose(u.T @ u / 300, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(v.T @ v / 300, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(u.T @ v / 300, np.diag(pairs.rho), atol=1e-10)
    np.testing.assert_allclose(u.mean(0), 0, atol=1e-10)


def test_linear_maps_and_repeated_columns_change_no_correlation():
    rng = np.random.default_rng(1)
    x, y = pairs_of([0.8], 100, 3, rng)
    rho = CanonicalPairs.fit(x, y).rho
    again = CanonicalPairs.fit(np.hstack([x, x[:, :1] - 2 * x[:, 1:2]]), y @ rng.normal(size=(3, 3)) * 1e-6)
    np.testing.assert_allclose(again.rho, rho, atol=1e-9)
    assert again.x_rank == 3


@pytest.mark.parametrize(("n", "p", "q"), [(100, 1, 4), (200, 5, 8), (400, 25, 25)])
def test_the_largest_correlation_of_independent_sides_is_below_the_edge_in_19_of_20(n, p, q):
    rng = np.random.default_rng(2)
    fits = [CanonicalPairs.fit(rng.normal(size=(n, p)), rng.normal(size=(n, q))) for _ in range(200)]
    above = np.mean([fit.rho[0] > fit.null_edge() for fit in fits])
    assert abs(above - 0.05) < 3 * np.sqrt(0.05 * 0.95 / 200) + 0.01


def test_correlations_above_the_edge_are_shrunk_to_what_they_estimate():
    rng = np.random.default_rng(3)
    fits = [CanonicalPairs.fit(*pairs_of([0.8], 300, 20, rng)) for _ in range(60)]
    found = np.array([fit.unbiased()[0] for fit in fits])
    assert abs(found.mean() - 0.8) < 4 * found.std() / np.sqrt(60) + 0.002
    assert np.mean([fit.rho[0] for fit in fits]) > 0.82  # what it would be without


def test_the_ratio_is_that_of_normal_densities_and_integrates_to_one():
    rng, rho = np.random.default_rng(4), np.array([0.7, -0.3])
    u, v = rng.normal(size=(2, 5, 2))
    joint = -((u**2 + v**2 - 2 * rho * u * v) / (2 * (1 - rho**2))) - 0.5 * np.log(1 - rho**2)
    expected = (joint + (u**2 + v**2) / 2).sum(1)
    np.testing.assert_allclose(gaussian_log_ratio(u, v, rho), expected)
    np.testing.assert_allclose(gaussian_table(u, v, rho).diagonal(), expected)
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    ratio = np.exp(gaussian_table(nodes[:, None], nodes[:, None], rho[:1]))
    total = weights @ ratio @ weights / (2 * np.pi)
    assert abs(total - 1) < 1e-6
    entropy = weights @ (ratio * np.log(ratio)) @ weights / (2 * np.pi)
    assert abs(entropy - gaussian_nats(rho[:1])) < 1e-6


def test_a_correlation_of_one_is_infinite_information():
    assert gaussian_nats(np.array([0.5, 1.0])) == np.inf
    assert gaussian_nats(np.array([])) == 0.0


def test_the_mean_and_each_direction_that_was_conditioned_on_take_a_degree_of_freedom():
    x, y = pairs_of([0.5], 50, 3, np.random.default_rng(5))
    assert CanonicalPairs.fit(x, y).n == 49
    assert CanonicalPairs.fit(x, y, conditioned=7).n == 42


def test_the_quantile_is_that_of_the_tracy_widom_law():
    """F(s) = det(1 - A) for A(x, y) = Ai(x + y + s) on the positive half line (Ferrari & Spohn 2005), by Gauss's rule.

    F(0) = 0.83190806620295 (Bornemann 2010, arXiv:0904.1581); at the quantile the density is 0.07, and its last digit 10⁻⁴.
    """
    nodes, weights = np.polynomial.legendre.leggauss(40)
    nodes, roots = 8 * (nodes + 1), np.sqrt(8 * weights)  # on (0, 16): beyond it Ai is below 10⁻¹⁹

    def law(s):
        return np.linalg.det(np.eye(40) - roots[:, None] * airy(nodes[:, None] + nodes + s)[0] * roots)

    assert law(0.0) == pytest.approx(0.83190806620295, abs=1e-13)
    assert law(TRACY_WIDOM_95) == pytest.approx(0.95, abs=0.07 * 0.5e-4)


def test_the_edge_is_a_95_percent_quantile_of_the_largest_correlation():
    """For ten columns a side and 40 degrees of freedom, of E and H Wishart: Johnstone's law is of second order, and errs to the
    safe side; a hundredth is left for that, and 4 standard errors for 20,000 draws."""
    rng, draws, d, n = np.random.default_rng(6), 20_000, 10, 40
    explained, rest = (wishart.rvs(freedom, np.eye(d), draws, rng) for freedom in (d, n - d))
    root = np.linalg.cholesky(explained + rest)
    half = np.linalg.solve(root, explained).swapaxes(1, 2)
    largest = np.linalg.eigvalsh(np.linalg.solve(root, half))[:, -1]
    above = (largest > pairs_with([], d, d, n).null_edge() ** 2).mean()
    four_errors = 4 * np.sqrt(0.05 * 0.95 / draws)
    assert 0.04 - four_errors < above < 0.05 + four_errors


@pytest.mark.parametrize(("x_rank", "y_rank"), [(3, 40), (40, 3), (20, 20)])
def test_shrinking_undoes_what_many_columns_add(x_rank, y_rank):
    """ρ̂² = (ρ²(1 - c) + c)(ρ²(1 - e) + e) / ρ² for c = d_x / n and e = d_y / n (Bao, Hu, Pan & Zhou 2019, Theorem 1.8)."""
    squares, n = np.array([0.9, 0.7, 0.6]), 200
    c, e = x_rank / n, y_rank / n
    seen = np.sqrt((squares * (1 - c) + c) * (squares * (1 - e) + e) / squares)
    np.testing.assert_allclose(pairs_with(seen, x_rank, y_rank, n).unbiased(), np.sqrt(squares), rtol=1e-12)
