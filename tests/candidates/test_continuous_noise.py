"""Continuous noise: its draws are the generator's, its log-density is the law's, its event shape the data's."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.mixture import GaussianMixture
from torch.distributions import Categorical, Gamma, Independent, Normal, Uniform

from infomax.candidates import ContinuousNoise, gaussian_fit, gaussian_mixture_fit
from infomax.errors import InputError

SHAPES = [(60,), (60, 1), (60, 3), (60, 2, 2)]


def data(shape, seed=0):
    return 2 + torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 3


def test_draws_are_those_of_the_generator_and_the_global_one_stays():
    before = torch.get_rng_state()
    rng, twin = (torch.Generator().manual_seed(5) for _ in "ab")
    noise = ContinuousNoise(Normal(torch.tensor(1.0), torch.tensor(2.0)))
    first, second = noise.draw(4, rng), noise.draw(4, rng)
    both = [1 + 2 * torch.normal(torch.zeros(4), torch.ones(4), generator=twin) for _ in "ab"]
    torch.testing.assert_close(torch.stack([first, second]), torch.stack(both))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_gaussian_fit_has_the_moments_and_the_shape_of_the_data(shape):
    x = data(shape)
    noise = gaussian_fit(x)
    assert noise.event_shape == shape[1:]
    assert noise.draw(7, torch.Generator().manual_seed(0)).shape == (7, *shape[1:])
    rows = x.reshape(60, -1)
    law = torch.distributions.MultivariateNormal(
        rows.mean(0), torch.cov(rows.T, correction=0).reshape(rows.shape[1], -1)
    )
    torch.testing.assert_close(noise.log_prob(x), law.log_prob(rows))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_mixture_fits_two_heaps_better_than_one_gaussian(shape):
    x = torch.cat([data(shape), data(shape, 1) + 40])
    mixture = gaussian_mixture_fit(x.numpy(), 2)
    assert mixture.draw(5, torch.Generator().manual_seed(0)).shape == (5, *shape[1:])
    assert mixture.log_prob(x).mean() > gaussian_fit(x).log_prob(x).mean() + 0.3


@pytest.mark.parametrize("random_state", [0, 1])
def test_the_mixture_is_scikit_learns(random_state):
    """One heap in three parts of unequal weight, which ones depending on the seed."""
    x = data((60, 2)).numpy()
    theirs = [GaussianMixture(3, random_state=seed).fit(x) for seed in (random_state, 1 - random_state)]
    told = [mixture.score_samples(x) for mixture in theirs]
    assert np.abs(told[0] - told[1]).max() > 0.1
    ours = gaussian_mixture_fit(x, 3, random_state=random_state).log_prob(torch.from_numpy(x))
    np.testing.assert_allclose(ours, told[0], rtol=1e-9)  # rounding of a covariance's factors


def test_outside_the_support_the_density_is_zero():
    box = ContinuousNoise(Independent(Uniform(torch.zeros(2), torch.ones(2)), 1))
    assert box.log_prob(torch.tensor([[0.5, 0.5], [0.5, 2.0]])).tolist() == [0.0, -float("inf")]
    waiting = ContinuousNoise(Gamma(torch.tensor(2.0), torch.tensor(1.0)))
    assert waiting.log_prob(torch.tensor([-1.0, 1.0])).tolist() == [-float("inf"), -1.0]


def test_observations_of_another_precision_are_taken():
    noise = gaussian_fit(data((60, 3)))
    x = data((60, 3)).float()
    torch.testing.assert_close(noise.log_prob(x), noise.log_prob(x.double()))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: ContinuousNoise("normal"), "torch distribution"),
        (lambda: ContinuousNoise(Normal(torch.zeros(3), torch.ones(3))), "Independent"),
        (lambda: ContinuousNoise(Categorical(torch.ones(3))), "integers"),
        (lambda: gaussian_fit(data((60, 3))).draw(0, torch.Generator()), "positive integer"),
        (lambda: gaussian_fit(data((60, 3))).log_prob(torch.zeros(4, 2)), "shape"),
        (lambda: gaussian_fit(data((3, 3))), "give more"),
        (lambda: gaussian_fit(np.ones((9, 2))), "singular"),
        (lambda: gaussian_fit(data((60, 1)) * torch.ones(1, 2)), "singular"),
        (lambda: gaussian_fit([1.0, float("nan")]), "NaN"),
        (lambda: gaussian_fit(np.zeros((0, 2))), "at least one"),
        (lambda: gaussian_mixture_fit(data((60, 3)), 0), "components"),
    ],
)
def test_what_cannot_be_noise_is_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        wrong()
