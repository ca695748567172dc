"""Telescoping: a ratio too far to learn at once, as a sum of near ones through laws that lie between.

Waymark k mixes pairs of rows, x_k = √(1 - α_k²) x_p + α_k x_q, α from 0 to 1; each log p_k/p_{k+1} is learned apart and
log p/q is their sum. A classifier of far samples is right almost anywhere and so learns little; those of near samples do.
Source: Rhodes, Xu & Gutmann 2020, arXiv:2006.12204.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import nn

from infomax.errors import InputError
from infomax.unnormalised.density_ratio import DensityRatio, density_ratio
from infomax.unnormalised.observed import generator, rows_of


@dataclass(frozen=True)
class TelescopedRatio:
    """log p/q as the sum of its links: call it on (n, *event) for an array (n,), in nats.

    Attributes:
        links: log p_k/p_{k+1}, from p to q, each with its held-out score.
    """

    links: tuple[DensityRatio, ...]

    def __call__(self, x: Any) -> np.ndarray:
        """(n,) float64 log p/q."""
        return np.sum([link(x) for link in self.links], axis=0)

    @property
    def cautions(self) -> tuple[tuple[str, str], ...]:
        """Those of the links that are still far."""
        return tuple(
            (kind, f"link {k} of {len(self.links)}: {text}")
            for k, link in enumerate(self.links, 1)
            for kind, text in link.cautions
            if kind == "far"
        )


def telescoped_log_ratio(
    x_p: Any,
    x_q: Any,
    *,
    bridges: int = 4,
    model: Callable[[], nn.Module] | None = None,
    rng: Any = None,
    **settings: Any,
) -> TelescopedRatio:
    """log p/q through `bridges` laws between.

    Args:
        x_p, x_q: (n, *event) and (m, *event); the longer side is cut to the shorter, at random.
        bridges: laws between, so that there are bridges + 1 links; 0 is `density_ratio`.
        model: makes the module of one link; by default quadratic logistic regression.
        rng: `torch.Generator` of pairs, splits and batches; by default one of seed 0.
        **settings: of `density_ratio`.

    Raises:
        InputError: as `density_ratio`; bridges below 0.
    """
    if bridges < 0:
        raise InputError(f"bridges must be at least 0; got {bridges}.")
    rng = generator(rng)
    p, q = (rows_of(x, name) for x, name in ((x_p, "x_p"), (x_q, "x_q")))
    if p.shape[1:] != q.shape[1:]:
        raise InputError(f"x_p and x_q must hold the same kind of rows; got {p.shape} and {q.shape}.")
    n = min(len(p), len(q))
    p, q = (x[torch.randperm(len(x), generator=rng).numpy()[:n]] for x in (p, q))
    alphas = np.linspace(0, 1, bridges + 2)
    waymarks = [np.sqrt(1 - alpha**2) * p + alpha * q for alpha in alphas]
    return TelescopedRatio(
        tuple(
            density_ratio(near, far, model=None if model is None else model(), rng=rng, **settings)
            for near, far in pairwise(waymarks)
        )
    )
