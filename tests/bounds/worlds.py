"""A world that knows its information: correlated Gaussians, and the critic that is best for them."""

from __future__ import annotations

from math import log

import torch
from torch import Tensor

from infomax.scores import Scores


def information(d: int, rho: float) -> float:
    """I(X; Y) in nats of d pairs of coordinates, each of correlation rho."""
    return -d / 2 * log(1 - rho**2)


def gaussian_pairs(n: int, d: int, rho: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """(n, d) and (n, d), float64, standard normal."""
    x, noise = torch.randn(2, n, d, generator=rng, dtype=torch.float64)
    return x, rho * x + (1 - rho**2) ** 0.5 * noise


def best_scores(x: Tensor, y: Tensor, rho: float, backend: str = "auto") -> Scores:
    """log p(y|x)/p(y) up to a function of x, as a product of vectors: (rho <x, y> - rho² |y|²/2) / (1 - rho²)."""
    anchors = torch.cat([x * rho, torch.full_like(x[:, :1], -(rho**2) / 2)], 1) / (1 - rho**2)
    return Scores(anchors, torch.cat([y, y.square().sum(1, keepdim=True)], 1), backend=backend)
