"""Exact readings, put together from pieces of a text."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp

import numpy as np
from torch import Tensor

from infomax.unnormalised import ExactReading


def reading(nats: Tensor, log_z: Tensor) -> ExactReading:
    """Of (n,) exact -log p of each token, and (n,) log normalisers."""
    nats, log_z = nats.double(), log_z.double()
    spread = float(log_z.std(correction=0))
    return ExactReading(float(nats.mean()), _exp(float(nats.mean())), float(log_z.mean()), spread, len(nats))


def together(parts: Sequence[ExactReading]) -> ExactReading:
    """One reading of several texts' tokens."""
    n = np.array([part.n for part in parts], dtype=np.float64)
    share = n / n.sum()
    nats = float(share @ [part.cross_entropy for part in parts])
    means = np.array([part.log_normaliser for part in parts])
    mean = float(share @ means)
    variance = float(share @ (np.array([part.log_normaliser_spread for part in parts]) ** 2 + (means - mean) ** 2))
    return ExactReading(nats, _exp(nats), mean, variance**0.5, int(n.sum()))


def _exp(nats: float) -> float:
    return exp(min(nats, 700.0))
