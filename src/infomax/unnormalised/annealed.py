"""Annealed importance sampling: log Z from below, and from above where exact draws of the model are at hand.

Chains start at the noise q and walk through f_β = q^(1-β) p̃^β to the model; each gathers log w = Σ (β' - β) log p̃/q, and
E w = Z whatever the walk, so E log w ≤ log Z. Chains that start at draws of the model and walk back gather log w' with
E w' = 1/Z, so log Z ≤ -E log w'. The walk is Langevin's with Metropolis' correction, scaled by the noise's spread.
Source: Neal 2001, "Annealed importance sampling"; Grosse, Ghahramani & Adams 2015, arXiv:1511.02543 (both sides).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from math import sqrt
from typing import Any

import torch
from torch import Tensor

from infomax.candidates.continuous import ContinuousNoise, as_noise
from infomax.data.plain import plain
from infomax.errors import InputError
from infomax.unnormalised.normaliser import LogNormaliser, weighted
from infomax.unnormalised.observed import generator, kind_of, log_model, log_ratio, observations


@dataclass(frozen=True)
class AnnealedNormaliser:
    """log Z between two sides, in nats.

    Attributes:
        lower, lower_error: mean log w of the forward chains, at most log Z in expectation, and its standard error.
        upper, upper_error: -mean log w of the reverse chains, at least log Z in expectation where they started at exact draws
            of the model; None where no draws were given.
        forward: log of the mean weight of the forward chains, the point estimate (biased low, as importance sampling).
        acceptance: share of proposals taken, all chains.
        cautions: (kind, sentence).
    """

    lower: float
    lower_error: float
    upper: float | None
    upper_error: float | None
    forward: LogNormaliser
    acceptance: float
    cautions: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return plain(asdict(self))

    def __str__(self) -> str:
        upper = "" if self.upper is None else f" and {self.upper:.3f} (standard error {self.upper_error:.3f})"
        side = "at least" if self.upper is None else "between"
        line = f"log Z {side} {self.lower:.3f} (standard error {self.lower_error:.3f}){upper} nats in expectation; "
        line += f"{self.forward.value:.3f} by {self.forward.method}"
        return "\n".join([line, *(f"warning: {text}" for _, text in self.cautions)])


def annealed_importance_sampling(
    model: Any,
    noise: Any,
    *,
    x: Any = None,
    bridges: int = 100,
    chains: int = 1000,
    step_size: int | float = 1.0,
    rng: Any = None,
) -> AnnealedNormaliser:
    """log Z of a model that is differentiable in its input, through `bridges` steps from the noise.

    Args:
        model: module giving log p̃, (n,), of (n, *event).
        noise: `ContinuousNoise` or torch distribution: where the chains start.
        x: (n, *event) exact draws of the model, for the upper side; each starts one reverse chain.
        bridges: steps of β from 0 to 1, one transition each: more bring the two sides together.
        chains: forward chains, at least 2.
        step_size: of the walk, in units of the noise's spread over d^(1/6), d numbers an observation; a model much narrower
            than its noise needs less: look at `acceptance`.

    Raises:
        InputError: settings below their least, x that does not fit, or a model that is not finite.
    """
    if bridges < 1 or chains < 2 or not step_size > 0:
        raise InputError(
            "bridges must be at least 1, chains at least 2, step_size above 0; "
            f"got bridges={bridges}, chains={chains}, step_size={step_size}."
        )
    noise, rng = as_noise(noise), generator(rng)
    dtype, device = kind_of(model)
    start = noise.draw(chains, rng).to(device, dtype)
    spread = start.std(0, correction=0)
    size = step_size * spread / max(spread.numel(), 1) ** (1 / 6)
    path = _Path(model, noise, size, rng)
    betas = torch.linspace(0, 1, bridges + 1, dtype=torch.float64).tolist()
    down = path.log_weights(start, betas)
    upper = None
    if x is not None:
        upper = -path.log_weights(observations(x, noise.event_shape, model), betas[::-1])
    acceptance = path.taken / max(path.proposed, 1)
    method = f"annealed importance sampling, {bridges} bridges"
    forward = weighted(down, method)
    return AnnealedNormaliser(
        lower=float(down.mean()), lower_error=_error(down),
        upper=None if upper is None else float(upper.mean()), upper_error=None if upper is None else _error(upper),
        forward=forward, acceptance=acceptance, cautions=(*forward.cautions, *_cautions(acceptance, bridges)),
    )  # fmt: skip


class _Path:
    """The walk along f_β = q^(1-β) p̃^β, with counts of what was proposed and taken."""

    def __init__(self, model: Any, noise: ContinuousNoise, size: Tensor, rng: torch.Generator) -> None:
        self.model, self.noise, self.size, self.rng = model, noise, size, rng
        self.proposed = self.taken = 0

    def log_weights(self, x: Tensor, betas: list[float]) -> Tensor:
        """(n,) float64 log weights of chains from x along the betas, forwards or back."""
        total = torch.zeros(len(x), dtype=torch.float64, device=x.device)
        for step, (here, there) in enumerate(pairwise(betas)):
            total = total + (there - here) * log_ratio(self.model, self.noise, x, "points of the chains")
            if step < len(betas) - 2:  # nothing is weighed after the last move
                x = self._moved(x, there)
        return total

    def _moved(self, x: Tensor, beta: float) -> Tensor:
        """One Metropolis-adjusted Langevin step that leaves f_β invariant."""
        value, slope = self._log_f(x, beta)
        step = self.size**2 * slope / 2
        proposal = x + step + self.size * self._normal(x)
        there, slope_there = self._log_f(proposal, beta)
        back = self._log_kernel(x - proposal - self.size**2 * slope_there / 2)
        change = there - value + back - self._log_kernel(proposal - x - step)
        lot = torch.rand(len(x), generator=self.rng, dtype=torch.float64, device=self.rng.device).to(x.device)
        take = lot.log() < change  # False where the proposal has no density
        self.proposed, self.taken = self.proposed + len(x), self.taken + int(take.sum())
        return torch.where(take.reshape(-1, *[1] * (x.ndim - 1)), proposal, x)

    def _log_f(self, x: Tensor, beta: float) -> tuple[Tensor, Tensor]:
        with torch.enable_grad():
            at = x.detach().requires_grad_()
            value = (1 - beta) * self.noise.log_prob(at) + beta * log_model(self.model, at)
            (slope,) = torch.autograd.grad(value.sum(), at)
        return value.detach().double(), slope

    def _log_kernel(self, away: Tensor) -> Tensor:
        return -((away / self.size) ** 2).reshape(len(away), -1).sum(1).double() / 2

    def _normal(self, like: Tensor) -> Tensor:
        drawn = torch.randn(like.shape, generator=self.rng, dtype=like.dtype, device=self.rng.device)
        return drawn.to(like.device)


def _error(values: Tensor) -> float:
    return float(values.std(correction=1)) / sqrt(len(values)) if len(values) > 1 else float("nan")


def _cautions(acceptance: float, bridges: int) -> list[tuple[str, str]]:
    if bridges > 1 and not 0.2 < acceptance < 0.98:
        change = "a smaller" if acceptance < 0.5 else "a larger"
        return [("acceptance", f"{acceptance:.0%} of the proposals were taken: {change} step_size would mix better.")]
    return []
