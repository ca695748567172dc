"""Every bound beyond InfoNCE, with what it needs beside the scores, and its definition as a function of the pairs' weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor
from torch.nn.functional import softplus

from infomax import bounds


def baseline(n: int) -> Tensor:
    return torch.linspace(-0.5, 1.0, n, dtype=torch.float64)


@dataclass(frozen=True)
class Reading:
    """`read` a sample; `weighted(s, w)` is the same value of the matrix s when pair k has the weight w_k, as row and as
    candidate; `side` is what it claims where nothing voids it, `exact` whether it is told that the conditional is known."""

    read: Callable[..., bounds.Bound]
    weighted: Callable[[Tensor, Tensor], Tensor]
    side: str


def chance_mean(h: Tensor, w: Tensor) -> Tensor:
    """Mean of h_ij over i ≠ j with the weights w_i w_j."""
    pairs = torch.outer(w, w) * ~torch.eye(len(w), dtype=torch.bool)
    return (pairs * h).sum() / pairs.sum()


def true_mean(t: Tensor, w: Tensor) -> Tensor:
    return (w * t).sum() / w.sum()


def tuba(s: Tensor, w: Tensor, a: Tensor) -> Tensor:
    return true_mean(s.diagonal() - a + 1, w) - chance_mean((s - a[:, None]).exp(), w)


def flo(s: Tensor, w: Tensor, ratio: Tensor) -> Tensor:
    return true_mean(ratio + 1, w) - chance_mean((s - s.diagonal()[:, None] + ratio[:, None]).exp(), w)


def leave_one_out(s: Tensor, w: Tensor) -> Tensor:
    others = w[:, None] * ~torch.eye(len(w), dtype=torch.bool)
    means = ((others * s.exp()).sum(0) / others.sum(0)).log()
    return true_mean(s.diagonal() - means, w)


def interpolated(s: Tensor, w: Tensor, a: Tensor, alpha: float) -> Tensor:
    """Poole et al. 2019, equation 13. A row's chance mean moves with the weights, and the mean with the true pair in the place of
    the next anchor's moves with it: the two differ by two of n - 1 pairs, whose own weights count for 1/n and are left out."""
    h, others = s.exp(), 1 - torch.eye(len(w), dtype=s.dtype)
    chance = (others * h) @ w / w.sum() * len(w) / (len(w) - 1)
    following = h.gather(1, torch.arange(len(w)).roll(-1)[:, None]).squeeze(1)
    with_true = chance + (h.diagonal() - following) / (len(w) - 1)
    of_chance, of_true = (alpha * mean + (1 - alpha) * a.exp() for mean in (chance, with_true))
    return true_mean(1 + s.diagonal() - of_true.log() - chance / of_chance, w)


READINGS = {
    "donsker_varadhan": Reading(
        bounds.donsker_varadhan, lambda s, w: true_mean(s.diagonal(), w) - chance_mean(s.exp(), w).log(), "neither"
    ),
    "nwj": Reading(bounds.nwj, lambda s, w: tuba(s, w, torch.ones(len(s))), "lower"),
    "tuba": Reading(
        lambda s, **o: bounds.tuba(s, baseline(len(s.anchors)), **o), lambda s, w: tuba(s, w, baseline(len(s))), "lower"
    ),
    "flo": Reading(
        lambda s, **o: bounds.flo(s, baseline(len(s.anchors)), **o), lambda s, w: flo(s, w, baseline(len(s))), "lower"
    ),
    "jensen_shannon": Reading(
        bounds.jensen_shannon,
        lambda s, w: log(4) - true_mean(softplus(-s.diagonal()), w) - chance_mean(softplus(s), w),
        "lower",
    ),
    "jensen_shannon_nwj": Reading(bounds.jensen_shannon_nwj, lambda s, w: tuba(s, w, torch.zeros(len(s))), "lower"),
    "smile": Reading(
        lambda s, **o: bounds.smile(s, clip=0.7, **o),
        lambda s, w: true_mean(s.diagonal(), w) - chance_mean(s.clamp(-0.7, 0.7).exp(), w).log(),
        "neither",
    ),
    "club": Reading(
        lambda s, **o: bounds.club(s, exact=True, **o),
        lambda s, w: true_mean(s.diagonal(), w) - chance_mean(s, w),
        "upper",
    ),
    "leave_one_out": Reading(lambda s, **o: bounds.leave_one_out(s, exact=True, **o), leave_one_out, "upper"),
    "barber_agakov": Reading(
        lambda s, **o: bounds.barber_agakov(s, 1.5, **o), lambda s, w: 1.5 + true_mean(s.diagonal(), w), "lower"
    ),
    "rate": Reading(
        lambda s, **o: bounds.rate(s, baseline(len(s.anchors)), exact=True, **o),
        lambda s, w: true_mean(s.diagonal() - baseline(len(s)), w),
        "upper",
    ),
    "interpolated": Reading(
        lambda s, **o: bounds.interpolated(s, baseline(len(s.anchors)), alpha=0.3, **o),
        lambda s, w: interpolated(s, w, baseline(len(s)), 0.3),
        "lower",
    ),
}


ALL = {name: reading.read for name, reading in READINGS.items()}
