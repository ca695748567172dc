"""Continuous noise: any `torch.distributions` object as the law that data are told from, drawn with a generator of one's own.

Noise has to have density wherever data live, and does best where it lies close to them: a Gaussian with the data's mean and
covariance is the usual first choice, a mixture the second (Gutmann & Hyvärinen 2012, section 2.4).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.distributions import (
    Categorical,
    Distribution,
    MixtureSameFamily,
    MultivariateNormal,
    TransformedDistribution,
)
from torch.distributions.transforms import ReshapeTransform

from infomax.candidates.checks import draw_count
from infomax.errors import InputError


class ContinuousNoise:
    """A distribution over single observations, each of shape `event_shape`.

    Args:
        distribution: of `torch.distributions`, without a batch shape: `Independent(Normal(zeros, ones), 1)` is one
            distribution over vectors, `Normal(zeros, ones)` several over numbers, and refused.

    >>> noise = ContinuousNoise(torch.distributions.Normal(0.0, 1.0))
    >>> noise.draw(3, torch.Generator().manual_seed(0)).shape, noise.event_shape
    (torch.Size([3]), ())
    """

    def __init__(self, distribution: Any) -> None:
        if not isinstance(distribution, Distribution):
            raise InputError(f"noise must be a torch distribution; got {type(distribution).__name__}.")
        if distribution.batch_shape:
            raise InputError(
                f"the noise is a batch {tuple(distribution.batch_shape)} of distributions, expected a single one: "
                "wrap it in torch.distributions.Independent."
            )
        self.distribution = distribution
        self.event_shape = tuple(distribution.event_shape)
        with torch.random.fork_rng(devices=[]):
            like = distribution.sample()
        if not like.is_floating_point():
            raise InputError(
                "the noise draws integers: for ids there are samplers, such as infomax.candidates.Unigram."
            )
        self.device, self.dtype = like.device, like.dtype

    def draw(self, n: Any, rng: torch.Generator) -> Tensor:
        """(n, *event) independent draws; the generator moves on, the global one stays as it was.

        Raises:
            InputError: n below 1, or a generator on another device than the distribution.
        """
        count, device = draw_count(n), rng.device
        if self.device.type != device.type:
            raise InputError(f"the noise draws on {self.device.type}, the generator is on {device.type}: use one.")
        world = torch.random if device.type == "cpu" else torch.get_device_module(device)
        which = () if device.type == "cpu" else (device,)
        # distributions take no generator: the global one is lent this one's state, and it takes the outcome back
        with torch.random.fork_rng(devices=list(which), device_type="cuda" if not which else device.type):
            world.set_rng_state(rng.get_state(), *which)
            drawn = self.distribution.sample(torch.Size((count,)))
            rng.set_state(world.get_rng_state(*which))
        return drawn

    def log_prob(self, x: Tensor) -> Tensor:
        """(n,) log density at (n, *event), in nats; -inf outside the support."""
        if x.ndim != 1 + len(self.event_shape) or tuple(x.shape[1:]) != self.event_shape:
            raise InputError(f"expected observations of shape (n, *{self.event_shape}); got {tuple(x.shape)}.")
        home, x = x.device, x.to(self.device, self.dtype)
        support = self.distribution.support
        inside = None if support is None else support.check(x)
        if inside is None or bool(inside.all()):
            return self.distribution.log_prob(x).to(home)
        somewhere = self.draw(1, torch.Generator(x.device).manual_seed(0))
        within = torch.where(inside.reshape(-1, *[1] * len(self.event_shape)), x, somewhere)
        return self.distribution.log_prob(within).masked_fill(~inside, -torch.inf).to(home)

    def __repr__(self) -> str:
        return f"ContinuousNoise({self.distribution})"


def as_noise(noise: Any) -> ContinuousNoise:
    """The noise itself, or a distribution as noise."""
    return noise if isinstance(noise, ContinuousNoise) else ContinuousNoise(noise)


def gaussian_fit(x: Any) -> ContinuousNoise:
    """The Gaussian with mean and covariance of the observations (maximum likelihood), float64.

    Args:
        x: (n, *event) array or tensor; draws have the same event shape.

    Raises:
        InputError: fewer observations than columns + 1, values that are not finite, or a singular covariance.
    """
    rows, event = _rows(x)
    centred = rows - rows.mean(0)
    covariance = centred.T @ centred / len(rows)
    spread = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(spread, spread) if spread.all() else np.zeros_like(covariance)
    if np.linalg.eigvalsh(correlation)[0] < 1e-12:
        raise InputError(
            f"the covariance of {len(rows)} observations of {rows.shape[1]} columns is singular: drop columns that are "
            "constant or follow from others, or give more observations."
        )
    fitted = MultivariateNormal(torch.from_numpy(rows.mean(0)), torch.from_numpy(covariance))
    return _shaped(fitted, event)


def gaussian_mixture_fit(x: Any, components: int, *, random_state: int = 0) -> ContinuousNoise:
    """A mixture of Gaussians with full covariances, by scikit-learn's `GaussianMixture`, float64.

    Args:
        x: (n, *event) array or tensor.
        components: number of Gaussians, at most n.

    Raises:
        InputError: values that are not finite, or fewer observations than components or than columns + 1.
    """
    from sklearn.mixture import GaussianMixture

    rows, event = _rows(x)
    if not 1 <= components <= len(rows):
        raise InputError(f"components must lie from 1 to the {len(rows)} observations; got {components}.")
    fitted = GaussianMixture(components, random_state=random_state).fit(rows)
    parts = MultivariateNormal(torch.from_numpy(fitted.means_), torch.from_numpy(fitted.covariances_))
    return _shaped(MixtureSameFamily(Categorical(torch.from_numpy(fitted.weights_)), parts), event)


def _rows(x: Any) -> tuple[np.ndarray, tuple[int, ...]]:
    """(n, d) float64 rows, and the shape of an observation."""
    values = np.asarray(x.detach().cpu() if isinstance(x, Tensor) else x, dtype=np.float64)
    if values.ndim < 1 or values.size == 0:
        raise InputError(f"expected observations (n, *event), at least one; got shape {values.shape}.")
    if not np.isfinite(values).all():
        raise InputError("the observations hold NaN or infinity: drop or fill them first.")
    rows = values.reshape(len(values), -1)
    if len(rows) <= rows.shape[1]:
        raise InputError(f"{len(rows)} observations cannot give a covariance of {rows.shape[1]} columns: give more.")
    return rows, values.shape[1:]


def _shaped(flat: Distribution, event: tuple[int, ...]) -> ContinuousNoise:
    if len(event) == 1:
        return ContinuousNoise(flat)
    return ContinuousNoise(TransformedDistribution(flat, [ReshapeTransform(flat.event_shape, torch.Size(event))]))
