"""`NCE`: parameters and normaliser recovered, their standard errors honest, and everything odd said or refused."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from math import log, pi, sqrt

import pytest
import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal, Uniform
from torch.optim.optimizer import register_optimizer_step_pre_hook

import infomax
from infomax.candidates import gaussian_fit
from infomax.errors import InfomaxError, InputError
from infomax.objectives import binary_nce_anchor
from infomax.unnormalised import NCE, bennett
from infomax.unnormalised.sandwich import gradients_of_each


class Bell(nn.Module):
    """log p̃ = -λ (x - μ)² / 2 + free constant, over all numbers of an observation."""

    def __init__(self, constant=0.0, free=False, dtype=torch.float64):
        super().__init__()
        self.mean = nn.Parameter(torch.zeros((), dtype=dtype))
        self.precision = nn.Parameter(torch.ones((), dtype=dtype))
        self.constant = nn.Parameter(torch.tensor(constant, dtype=dtype), requires_grad=free)

    def forward(self, x):
        return -self.precision * ((x - self.mean) ** 2).reshape(len(x), -1).sum(1) / 2 + self.constant


class Gaussian(nn.Module):
    """log p̃ = -x'Λx / 2, Λ the (1, 2) symmetric matrix of three numbers."""

    def __init__(self):
        super().__init__()
        self.entries = nn.Parameter(torch.tensor([1.0, 0.0, 1.0], dtype=torch.float64))

    def forward(self, x):
        a, b, c = self.entries
        return -(a * x[:, 0] ** 2 + 2 * b * x[:, 0] * x[:, 1] + c * x[:, 1] ** 2) / 2


class Standard(nn.Module):
    """The standard normal density, normalised, with nothing to learn."""

    def forward(self, x):
        return -(x**2) / 2 - log(2 * pi) / 2


def normal(n, scale=2.0, mean=1.0, seed=0):
    return mean + scale * torch.randn(n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_precision_and_normaliser_lie_within_their_standard_errors():
    precision = torch.tensor([[2.0, -0.8], [-0.8, 1.0]], dtype=torch.float64)
    law = MultivariateNormal(torch.zeros(2, dtype=torch.float64), precision_matrix=precision)
    x = infomax.candidates.ContinuousNoise(law).draw(3000, torch.Generator().manual_seed(1))
    model = Gaussian()
    fit = infomax.NCE(model, gaussian_fit(x)).fit(x)
    truth = torch.tensor([2.0, -0.8, 1.0], dtype=torch.float64)
    errors = fit.standard_errors["entries"]
    assert bool(((model.entries - truth).abs() < 3.5 * errors).all())
    assert bool((errors < 0.1).all())
    log_z = log(2 * pi) - torch.logdet(precision) / 2
    assert abs(fit.log_normaliser - log_z) < 3.5 * fit.log_normaliser_error < 0.15
    assert fit.efficiency == fit.efficiencies[10] == pytest.approx(1 / 1.1, abs=0.02)  # noise = the data's law
    assert fit.overlap == pytest.approx(1, abs=0.01)
    # log p is linear in what is learned, so at no point off by more than sqrt(chi2 of 4) standard errors there: 4.5 in 99.95 %
    g = gradients_of_each(model, x)
    spread = ((g @ fit.covariance) * g).sum(1).sqrt()
    assert bool(((fit.log_density(x) - law.log_prob(x)).abs() < 4.5 * spread).all())


def test_standard_errors_are_the_spread_over_replicates():
    found, errors = [], []
    for seed in range(50):
        model, x = Bell(), normal(200, seed=seed)
        rng = torch.Generator().manual_seed(1000 + seed)
        fit = NCE(model, Normal(0.0, 3.0), nu=3).fit(x, rng=rng)
        found.append([model.mean.item(), model.precision.item(), fit.log_normaliser])
        errors.append([*(float(fit.standard_errors[name]) for name in ("mean", "precision")), fit.log_normaliser_error])
    found, errors = torch.tensor(found), torch.tensor(errors)
    ratios = found.std(0) / errors.mean(0)
    assert bool(((ratios - 1).abs() < 3.5 / sqrt(2 * 49)).all()), ratios
    truth = torch.tensor([1.0, 0.25, log(2 * sqrt(2 * pi))])
    assert bool(((found.mean(0) - truth).abs() < 3.5 * errors.mean(0) / sqrt(50)).all())


def test_a_model_that_is_its_noise_has_the_loss_of_the_anchor():
    fit = NCE(Standard(), Normal(0.0, 1.0), nu=4).fit(normal(500, 1.0, 0.0))
    assert fit.log_normaliser == pytest.approx(0, abs=1e-7)
    assert fit.loss == pytest.approx(binary_nce_anchor(4), abs=1e-7) == pytest.approx(fit.anchor, abs=1e-7)
    assert [kind for kind, _ in fit.cautions] == ["nothing learned"]
    assert fit.efficiency is None
    assert fit.standard_errors == {}


def test_with_nothing_but_c_to_learn_it_is_bennett_s_ratio():
    x = normal(300, 1.0, 0.0)
    fit = NCE(Standard(), Normal(0.5, 1.5), nu=5).fit(x)
    ratio = bennett(Standard(), Normal(0.5, 1.5), x, nu=5)
    assert fit.log_normaliser == pytest.approx(ratio.value, abs=1e-9)
    assert fit.log_normaliser_error == pytest.approx(ratio.standard_error, rel=1e-6)
    assert abs(ratio.value) < 4 * ratio.standard_error


def test_minibatches_of_adam_come_to_the_same():
    x, noise = normal(500), Normal(0.0, 3.0)
    whole, parts = Bell(), Bell()
    exact = NCE(whole, noise, nu=2).fit(x)
    adam = NCE(parts, noise, nu=2, batch=100, steps=400, learning_rate=0.05).fit(x)
    assert abs((whole.precision - parts.precision).item()) < 0.5 * float(exact.standard_errors["precision"])
    assert abs(exact.log_normaliser - adam.log_normaliser) < 0.5 * exact.log_normaliser_error
    assert exact.loss <= adam.loss


def test_the_rate_of_adam_falls_to_zero():
    rates = []
    hook = register_optimizer_step_pre_hook(lambda adam, *_: rates.append(adam.param_groups[0]["lr"]))
    try:
        NCE(Bell(), Normal(0.0, 3.0), batch=10, steps=8, learning_rate=0.4).fit(normal(50))
    finally:
        hook.remove()
    assert rates == pytest.approx([0.4 * (1 - step / 8) for step in range(8)])


def test_where_there_is_nothing_to_learn_it_says_so():
    """Data of the noise's law: T times the loss gained is half a chi2 of 2, T times its standard error that chi2's root, so
    the gain exceeds two of them where the chi2 exceeds 16: once in 3,000 fits."""
    for seed in range(10):
        x, rng = normal(200, 1.0, 0.0, seed), torch.Generator().manual_seed(seed)
        fit = NCE(Bell(), Normal(0.0, 1.0), nu=10).fit(x, rng=rng)
        assert "nothing learned" in [kind for kind, _ in fit.cautions]


@pytest.mark.parametrize("constant", [-1000.0, 1000.0])
def test_a_model_on_any_level_starts_where_its_ratio_is_sensible(constant):
    fit = NCE(Bell(constant), Normal(0.0, 3.0)).fit(normal(500))
    off = fit.log_normaliser - constant - log(2 * sqrt(2 * pi))
    assert abs(off) < 3.5 * fit.log_normaliser_error < 0.2
    assert not fit.cautions


def test_shapes_of_observations_and_single_precision_are_kept():
    x = normal(300).reshape(75, 2, 2).float()
    model = Bell(dtype=torch.float32)
    fit = NCE(model, gaussian_fit(x), nu=5).fit(x.numpy())
    assert model.precision.dtype == torch.float32
    assert model.precision.item() == pytest.approx(0.25, abs=0.08)  # 4 standard errors of 0.25 √(2 / 300)
    assert fit.log_density(x).shape == (75,)
    assert (
        NCE(Bell(), Independent(Normal(torch.zeros(3), 3 * torch.ones(3)), 1)).fit(normal(300).reshape(100, 3)).n == 100
    )


def test_the_same_generator_gives_the_same_fit_and_the_global_one_stays():
    before, x = torch.get_rng_state(), normal(100)
    fits = [NCE(Bell(), Normal(0.0, 3.0)).fit(x, rng=torch.Generator().manual_seed(seed)) for seed in (3, 3, 4)]
    assert fits[0].log_normaliser == fits[1].log_normaliser != fits[2].log_normaliser
    assert torch.equal(torch.get_rng_state(), before)


def test_a_constant_that_the_normaliser_can_take_is_named():
    fit = NCE(Bell(free=True), Normal(0.0, 3.0)).fit(normal(100))
    assert fit.standard_errors is fit.log_normaliser_error is fit.covariance is fit.efficiency is None
    assert "constant added" in fit.no_errors
    assert "constant added" in str(fit)


def test_far_noise_is_named_and_no_errors_are_made_up():
    fit = NCE(Bell(), Normal(30.0, 1.0)).fit(normal(100))
    assert "far noise" in [kind for kind, _ in fit.cautions]
    assert fit.overlap < 0.01
    assert fit.log_normaliser_error is None
    assert "far away" in fit.no_errors


def test_stopping_early_is_named():
    kinds = [kind for kind, _ in NCE(Bell(), Normal(0.0, 3.0), steps=2).fit(normal(500)).cautions]
    assert "not converged" in kinds


class Stubborn(Bell):
    """A model that vmap cannot go through."""

    def forward(self, x):
        return super().forward(x) * (1.0 if x.sum().item() < 1e9 else 2.0)


@pytest.mark.parametrize(("model", "limit", "why"), [(Stubborn(), 200, "torch.func"), (Bell(), 1, "limit of 1")])
def test_without_gradients_of_each_the_fit_stands_and_says_why(model, limit, why):
    fit = NCE(model, Normal(0.0, 3.0), parameter_limit=limit).fit(normal(300))
    with_errors = NCE(Bell(), Normal(0.0, 3.0)).fit(normal(300))
    assert abs(fit.log_normaliser - with_errors.log_normaliser) < 1e-6  # the same sample: as far as L-BFGS goes
    assert fit.standard_errors is None
    assert why in fit.no_errors


def test_a_fit_is_plain_data_and_frozen():
    fit = NCE(Bell(), Normal(0.0, 3.0)).fit(normal(100))
    assert json.loads(json.dumps(fit.to_dict(), allow_nan=False))["n"] == 100
    with pytest.raises(FrozenInstanceError):
        fit.log_normaliser = 0.0
    assert str(fit).startswith("log Z = ")


class Root(nn.Module):
    """NaN once its parameter falls below 0."""

    def __init__(self):
        super().__init__()
        self.square = nn.Parameter(torch.tensor(1.0, dtype=torch.float64))

    def forward(self, x):
        return -(x**2) * self.square.sqrt()


def test_a_fit_that_runs_into_nan_is_an_error_not_a_number():
    with pytest.raises(InfomaxError, match="NaN"):
        NCE(Root(), Normal(0.0, 3.0), batch=10, steps=5, learning_rate=50.0).fit(normal(100))


class Wrong(nn.Module):
    """Two numbers an observation."""

    def forward(self, x):
        return torch.stack([x, x], 1)


class Hole(nn.Module):
    """No value below 0."""

    def forward(self, x):
        return x.log()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: NCE("model", Normal(0.0, 1.0)), "torch module"),
        (lambda: NCE(Bell(), "noise"), "torch distribution"),
        (lambda: NCE(Bell(), Normal(0.0, 1.0), nu=0), "nu must be"),
        (lambda: NCE(Bell(), Normal(0.0, 1.0), nu=0.5), "nu must be"),
        (lambda: NCE(Bell(), Normal(0.0, 1.0), steps=0), "at least 1"),
        (lambda: NCE(Bell(), Normal(0.0, 1.0)).fit(normal(10), rng=3), "Generator"),
        (lambda: NCE(Bell(), Normal(0.0, 1.0)).fit([]), "no rows"),
        (lambda: NCE(Bell(), Normal(0.0, 1.0)).fit("text"), "numbers"),
        (lambda: NCE(Bell(), Normal(0.0, 1.0)).fit(normal(10).reshape(5, 2)), "shape"),
        (lambda: NCE(Bell(), Normal(0.0, 1.0)).fit([1.0, float("nan")]), "1 of 2 rows"),
        (lambda: NCE(Bell(), Uniform(0.0, 1.0)).fit([0.5, 2.0]), "noise's log-density is not finite at 1 of 2"),
        (lambda: NCE(Hole(), Normal(0.0, 1.0)).fit([0.5, 2.0]), "model's log-density is not finite"),
        (lambda: NCE(Wrong(), Normal(0.0, 1.0)).fit([0.5, 2.0]), "for each observation"),
    ],
)
def test_what_cannot_be_fitted_is_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        wrong()
