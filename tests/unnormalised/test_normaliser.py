"""log Z by sampling: importance, Bennett, annealed from both sides; exact where closed forms say what must come out."""

from __future__ import annotations

import json
from math import log, pi

import pytest
import torch
from torch import nn
from torch.distributions import Independent, Normal

from infomax.errors import InputError
from infomax.unnormalised import annealed_importance_sampling, bennett, importance_sampling

D, MEAN, SCALE, WIDE = 3, 1.0, 0.5, 2.0
LOG_Z = D * log(SCALE * (2 * pi) ** 0.5)
NOISE = Independent(Normal(torch.zeros(D, dtype=torch.float64), WIDE * torch.ones(D, dtype=torch.float64)), 1)


class Narrow(nn.Module):
    """A Gaussian without its normaliser."""

    def forward(self, x):
        return -(((x - MEAN) / SCALE) ** 2).sum(1) / 2


def draws_of_the_model(n, seed=1):
    rng = torch.Generator().manual_seed(seed)
    return MEAN + SCALE * torch.randn(n, D, generator=rng, dtype=torch.float64)


def kl(mean, scale, other_mean, other_scale):
    return D * (log(other_scale / scale) + (scale**2 + (mean - other_mean) ** 2) / (2 * other_scale**2) - 0.5)


def test_each_way_comes_to_log_z_within_its_standard_error():
    x = draws_of_the_model(1000)
    for found in (importance_sampling(Narrow(), NOISE, 20_000), bennett(Narrow(), NOISE, x)):
        assert abs(found.value - LOG_Z) < 3.5 * found.standard_error < 0.25
        assert not found.cautions
        assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["n"] == found.n
        assert str(found).startswith("log Z = ")


def test_standard_errors_are_the_spread_over_replicates():
    rng = torch.Generator().manual_seed(0)
    for estimate in (
        lambda seed: importance_sampling(Narrow(), NOISE, 2000, rng=rng),
        lambda seed: bennett(Narrow(), NOISE, draws_of_the_model(200, seed), 3, rng=rng),
    ):
        runs = [estimate(seed) for seed in range(100)]
        spread = torch.tensor([run.value for run in runs]).std()
        said = torch.tensor([run.standard_error for run in runs]).mean()
        assert 0.75 < float(spread / said) < 1.25  # 3.5 / sqrt(2 * 99) is 0.25


def test_few_effective_draws_are_named():
    far = Independent(Normal(torch.full((D,), 9.0), torch.ones(D)), 1)
    assert [kind for kind, _ in importance_sampling(Narrow(), far, 1000).cautions] == ["few effective samples"]
    assert [kind for kind, _ in bennett(Narrow(), far, draws_of_the_model(50)).cautions] == ["few effective samples"]


def test_every_observation_is_effective_where_model_and_noise_are_one():
    """Each is noise with the probability nu / (1 + nu), which 1 + 1/nu makes 1; up to where the search for c stops."""

    class Same(nn.Module):
        def forward(self, x):
            return NOISE.log_prob(x)

    for nu in (1, 4):
        assert bennett(Same(), NOISE, draws_of_the_model(200), nu).effective_samples == pytest.approx(200, rel=1e-6)


def test_one_bridge_is_off_by_the_two_divergences():
    found = annealed_importance_sampling(Narrow(), NOISE, x=draws_of_the_model(5000), bridges=1, chains=5000)
    below, above = kl(0, WIDE, MEAN, SCALE), kl(MEAN, SCALE, 0, WIDE)
    assert abs(found.lower - (LOG_Z - below)) < 3.5 * found.lower_error
    assert abs(found.upper - (LOG_Z + above)) < 3.5 * found.upper_error


def test_more_bridges_close_the_sandwich_around_log_z():
    x, gaps = draws_of_the_model(300), []
    for bridges in (5, 60):
        found = annealed_importance_sampling(Narrow(), NOISE, x=x, bridges=bridges, chains=300, step_size=0.4)
        assert found.lower - 3.5 * found.lower_error < LOG_Z < found.upper + 3.5 * found.upper_error
        gaps.append(found.upper - found.lower)
    assert gaps[1] < gaps[0] / 4
    assert found.lower < LOG_Z < found.upper
    assert abs(found.forward.value - LOG_Z) < 3.5 * found.forward.standard_error < 0.5


@pytest.mark.parametrize(("bridges", "step_size"), [(30, 0.5), (10, 1.5)])  # 72 % and 3 % of the proposals taken
def test_the_mean_weight_is_z_however_bad_the_walk(bridges, step_size):
    chains = 150_000 // bridges
    found = annealed_importance_sampling(Narrow(), NOISE, bridges=bridges, chains=chains, step_size=step_size)
    assert abs(found.forward.value - LOG_Z) < 3.5 * found.forward.standard_error < 0.2
    assert found.upper is None
    assert "at least" in str(found)


def test_the_noise_weighs_less_with_each_bridge():
    """With noise no wider than this, a walk that felt it in full would stay between it and the model."""
    noise = Independent(Normal(torch.zeros(D, dtype=torch.float64), torch.ones(D, dtype=torch.float64)), 1)
    found = annealed_importance_sampling(Narrow(), noise, bridges=30, chains=4000, step_size=0.5)
    assert abs(found.forward.value - LOG_Z) < 3.5 * found.forward.standard_error < 0.15


def test_a_walk_that_hardly_moves_or_always_does_is_named():
    for size in (30.0, 0.001):
        found = annealed_importance_sampling(Narrow(), NOISE, bridges=10, chains=200, step_size=size)
        assert "acceptance" in [kind for kind, _ in found.cautions]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: importance_sampling(Narrow(), NOISE, 0), "positive integer"),
        (lambda: bennett(Narrow(), NOISE, draws_of_the_model(5)[:, :2]), "shape"),
        (lambda: bennett(Narrow(), NOISE, draws_of_the_model(5), 0), "positive integer"),
        (lambda: annealed_importance_sampling(Narrow(), NOISE, bridges=0), "bridges"),
        (lambda: annealed_importance_sampling(Narrow(), NOISE, chains=1), "chains"),
        (lambda: annealed_importance_sampling(Narrow(), NOISE, step_size=0.0), "step_size"),
        (lambda: annealed_importance_sampling(Narrow(), NOISE, x=torch.full((2, D), torch.nan)), "NaN"),
    ],
)
def test_what_cannot_be_estimated_is_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        wrong()
