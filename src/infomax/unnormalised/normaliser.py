"""log Z of a model by sampling: importance sampling, and Bennett's acceptance ratio where there are draws of the model too.

Importance sampling takes the mean of w = p̃/q over K draws of q. The mean is right, its logarithm reads low:
E log(mean w) ≈ log Z - Var(w) / (2 Z² K). So a log-likelihood that takes this log Z off reads high, a perplexity low.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import log, sqrt
from typing import Any

import torch
from torch import Tensor

from infomax.candidates.continuous import as_noise
from infomax.data.plain import plain
from infomax.unnormalised.bennett import bennett_shift
from infomax.unnormalised.observed import generator, kind_of, log_ratio, observations


@dataclass(frozen=True)
class LogNormaliser:
    """An estimate of log Z, in nats.

    Attributes:
        value: the estimate.
        standard_error: of it, to first order.
        bias: estimated expectation of value - log Z, to first order, not taken off; below 0 for importance sampling, 0 where
            none of first order is known.
        effective_samples: of the draws, (Σ w)² / Σ w² for importance sampling.
        n: draws used.
        method: in words.
        cautions: (kind, sentence): "few effective samples", where neither bias nor standard error can be trusted.
    """

    value: float
    standard_error: float
    bias: float
    effective_samples: float
    n: int
    method: str
    cautions: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return plain(asdict(self))

    def __str__(self) -> str:
        line = f"log Z = {self.value:.3f} nats (standard error {self.standard_error:.3f}, bias {self.bias:+.1g}); "
        line += f"{self.method}, {self.effective_samples:,.0f} effective of {self.n:,} draws"
        return "\n".join([line, *(f"warning: {text}" for _, text in self.cautions)])


def importance_sampling(model: Any, noise: Any, draws: Any = 10_000, *, rng: Any = None) -> LogNormaliser:
    """log Z = log of the mean p̃/q over draws of the noise q.

    Args:
        model: module giving log p̃, (n,), of (n, *event).
        noise: `ContinuousNoise` or torch distribution, with heavier tails than the model.
        draws: K, at least 2 for a standard error.

    Raises:
        InputError: a model that is not finite at a draw.
    """
    noise = as_noise(noise)
    dtype, device = kind_of(model)
    y = noise.draw(draws, generator(rng)).to(device, dtype)
    return weighted(log_ratio(model, noise, y, "noise draws"), "importance sampling")


def weighted(log_weights: Tensor, method: str) -> LogNormaliser:
    """log of the mean weight, with what first order says of its error."""
    k = len(log_weights)
    value = float(torch.logsumexp(log_weights, 0)) - log(k)
    relative = (log_weights - value).exp()  # w / mean w
    effective = k / float((relative**2).mean())
    scatter = float(relative.var(correction=1)) / k if k > 1 else float("nan")
    few: tuple[tuple[str, str], ...] = ()
    if effective < 100:
        few = ((
            "few effective samples",
            f"{effective:.1f} of {k:,} draws carry the weight: log Z is likely too low, and its standard error with it; use "
            "noise nearer to the model, or annealed_importance_sampling.",
        ),)  # fmt: skip
    return LogNormaliser(value, sqrt(scatter), -scatter / 2, effective, k, method, few)


def bennett(model: Any, noise: Any, x: Any, nu: int = 10, *, rng: Any = None) -> LogNormaliser:
    """log Z by Bennett's acceptance ratio: as NCE of this model with nothing but c learned.

    Args:
        model: module giving log p̃.
        noise: what x is told from.
        x: (T, *event) draws of the model's own law; where they are data, the model is taken to be right.
        nu: noise draws an observation.

    Raises:
        InputError: x of another shape than the noise, empty or not finite; a model that is not finite at x or the noise.
    """
    noise = as_noise(noise)
    data = observations(x, noise.event_shape, model)
    y = noise.draw(nu * len(data), generator(rng)).to(data)
    u = log_ratio(model, noise, data, "observations")
    v = log_ratio(model, noise, y, "noise draws")
    c = bennett_shift(u, v)
    missed, taken = torch.sigmoid(log(nu) - c - u), torch.sigmoid(v + c - log(nu))
    slope = float((missed * (1 - missed)).sum() + (taken * (1 - taken)).sum())
    scatter = float(len(u) * missed.var(correction=0) + len(v) * taken.var(correction=0))
    effective = float(missed.sum()) * (1 + 1 / nu)
    few: tuple[tuple[str, str], ...] = ()
    if effective < 100:
        few = (("few effective samples", f"{effective:.1f} of {len(u):,} observations overlap with the noise."),)
    error = sqrt(scatter) / slope if slope else float("inf")
    return LogNormaliser(-c, error, 0.0, effective, len(u) + len(v), f"Bennett's acceptance ratio, nu = {nu}", few)
