"""The covariance of noise-contrastive estimates, by exact sums and quadrature; Bennett's identity; the bias of log Z."""

from __future__ import annotations

from math import comb, exp, log, pi

import pytest
import torch
from torch.autograd.functional import hessian
from torch.nn.functional import logsigmoid

from infomax.unnormalised.bennett import bennett_shift
from infomax.unnormalised.nce import nce_loss
from infomax.unnormalised.normaliser import weighted
from infomax.unnormalised.sandwich import cramer_rao, efficiency, sandwich, theorem_3

COUNTS_P, COUNTS_Q, NU = torch.tensor([2, 3, 4, 1]), torch.tensor([3, 5, 4, 8]), 2  # 10 observations, 20 draws
FEATURES = torch.tensor([[0.0, 1.0], [1.0, 0.5], [-1.0, 2.0], [0.5, -1.0]], dtype=torch.float64)


def exact(value, expected, tolerance=1e-9):
    torch.testing.assert_close(value, expected, rtol=tolerance, atol=tolerance)


def alphabet():
    """log p, log q and the gradients (features of an exponential family, and 1 for c) on four letters."""
    p, q = COUNTS_P.double() / COUNTS_P.sum(), COUNTS_Q.double() / COUNTS_Q.sum()
    return p, q, torch.cat([FEATURES, torch.ones(4, 1, dtype=torch.float64)], 1)


def quadrature(noise_scale):
    """Standard normal data, its mean and log-scale the parameters; noise of another scale."""
    x = torch.linspace(-12, 12, 6001, dtype=torch.float64)
    log_p = -(x**2) / 2 - log(2 * pi) / 2
    log_q = -(x**2) / (2 * noise_scale**2) - log(2 * pi * noise_scale**2) / 2
    weights = log_p.exp() * (x[1] - x[0])
    return log_p - log_q, torch.stack([x, x**2 - 1, torch.ones_like(x)], 1), weights


def test_the_formula_is_the_sandwich_of_the_population_objective():
    p, q, g = alphabet()

    def objective(theta):
        odds = (p / q).log() + g @ theta - log(NU)  # theta is what is added to the true parameters
        return -(p @ logsigmoid(odds) + NU * (q @ logsigmoid(-odds)))

    bread = hessian(objective, torch.zeros(3, dtype=torch.float64)).inverse()
    h = p / (p + NU * q)
    push, pull = g * (1 - h)[:, None], g * h[:, None]

    def covariance(values, law):
        centred = values - law @ values
        return centred.T @ (centred * law[:, None])

    meat = covariance(push, p) + NU * covariance(pull, q)
    exact(theorem_3((p / q).log(), g, p, NU), bread @ meat @ bread)


def test_a_sample_with_the_population_s_frequencies_has_its_covariance():
    p, q, g = alphabet()
    odds = (p / q).log() - log(NU)
    x, y = (torch.arange(4).repeat_interleave(counts) for counts in (COUNTS_P, COUNTS_Q))
    covariance, step = sandwich((odds[x], g[x]), (odds[y], g[y]))
    exact(10 * covariance, theorem_3((p / q).log(), g, p, NU))
    exact(step, torch.zeros_like(step))  # the truth is this sample's estimate: nowhere to go
    _, away = sandwich((odds[x] + 0.01, g[x]), (odds[y] + 0.01, g[y]))
    assert away.tolist() == pytest.approx([0, 0, -0.01], abs=2e-4)


def test_the_cramer_rao_bound_weighs_each_letter_by_its_probability():
    """The Hessian of -E_p log p_θ at the truth, normalised over the four letters."""
    p, _, g = alphabet()

    def cross_entropy(theta):
        return -(p @ (p.log() + FEATURES @ theta).log_softmax(0))

    exact(cramer_rao(g, p), hessian(cross_entropy, torch.zeros(2, dtype=torch.float64)).inverse())


@pytest.mark.parametrize("scale", [1.5, 2.0, 3.0])
def test_variance_falls_to_the_cramer_rao_bound_as_nu_grows(scale):
    log_ratio, g, weights = quadrature(scale)
    traces = [float(theorem_3(log_ratio, g, weights, nu).diagonal()[:-1].sum()) for nu in (1, 5, 20, 100, 1e7)]
    bound = float(cramer_rao(g, weights).trace())
    assert bound == pytest.approx(1.5, abs=1e-6)  # 1 for the mean, 1/2 for log-scale
    assert traces == sorted(traces, reverse=True)
    assert traces[-2] > bound + 1e-3
    assert traces[-1] == pytest.approx(bound, abs=1e-5)
    assert efficiency(log_ratio, g, weights, 5) == pytest.approx(bound / traces[1])
    if scale == 2.0:
        assert traces[:4] == pytest.approx([2.469, 1.723, 1.558, 1.512], abs=1e-3)


def test_noise_equal_to_the_data_s_law_costs_one_over_nu():
    _, g, weights = quadrature(1.0)
    for nu in (1, 4):
        exact(
            theorem_3(torch.zeros(6001).double(), g, weights, nu)[:2, :2], (1 + 1 / nu) * cramer_rao(g, weights), 1e-6
        )


def test_bennett_s_ratio_is_nce_with_only_the_normaliser_learned():
    rng = torch.Generator().manual_seed(0)
    u, v = (torch.randn(n, generator=rng, dtype=torch.float64) * 2 + shift for n, shift in ((30, 4.0), (90, 1.0)))
    shift = torch.tensor(bennett_shift(u, v), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(nce_loss(u + shift, v + shift), shift)
    assert abs(float(slope)) < 1e-9
    z = exp(-float(shift.detach()))
    ratio = (v.exp() / (v.exp() / z + 3)).mean() / (1 / (u.exp() / z + 3)).mean()  # Bennett's own form, over q
    assert float(ratio) == pytest.approx(z, rel=1e-9)


@pytest.mark.parametrize("k", [50, 400])
def test_importance_sampling_reads_log_z_low_by_what_it_says(k):
    law, values = 0.3, torch.tensor([3.0, 0.5], dtype=torch.float64).log()  # of two letters: E w = 1.25
    expected = reported = 0.0
    for hits in range(k + 1):  # every sample of k draws, by its count of the first letter
        chance = comb(k, hits) * law**hits * (1 - law) ** (k - hits)
        found = weighted(values[torch.tensor([0] * hits + [1] * (k - hits))], "by hand")
        expected, reported = expected + chance * found.value, reported + chance * found.bias
    bias = expected - log(1.25)
    assert bias < 0
    assert bias == pytest.approx(-(0.3 * 0.7 * 2.5**2) / (2 * 1.25**2 * k), rel=10 / k)
    assert bias == pytest.approx(reported, rel=10 / k)
