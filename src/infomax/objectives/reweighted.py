"""Negatives corrected for the true pairs among them (debiased), and weighted by their hardness (hard negatives).

With Q negatives of a row, m the mean of e^s over them, and p = e^{s_pos}:

    loss = -log( p / (p + Q·g) ),    g = max( (m - τ·p) / (1 - τ), e^{-1/t} )

τ is the chance that a negative is in truth a positive; e^{-1/t} is the least that e^s can be for unit vectors. Hard negatives
put the mean under weights e^{βs} in the place of m: log m = LSE((1+β)s) - LSE(βs). τ = 0 and β = 0 give InfoNCE.
Sources: Chuang et al. 2020, arXiv:2007.00224, section 3; Robinson et al. 2021, arXiv:2010.04592, section 3.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from infomax.errors import InputError
from infomax.objectives.chance import chance_counts, log_mean_exp, per_anchor
from infomax.scores import Scores
from infomax.scores.checks import is_finite


def debiased(scores: Scores, tau_plus: Any, *, least: float | None = None) -> Float[Tensor, " n"]:
    """(N,) losses in nats.

    Args:
        scores: one true pair a row.
        tau_plus: τ, a number or (N,), from 0 to below 1: about 1 / classes where items are of equally frequent classes.
        least: the least score that can occur; None: -1/temperature, that of unit vectors without offsets.

    Raises:
        InputError: τ out of range, labels, or a dense matrix without `least`.

    >>> debiased(Scores(torch.zeros(4, 2), torch.zeros(4, 2)), 0.1)  # a constant critic: log 4, as InfoNCE
    tensor([1.3863, 1.3863, 1.3863, 1.3863])
    """
    return _against(scores, log_mean_exp(scores), tau_plus, least)


def hard_negative(scores: Scores, beta: Any, *, tau_plus: Any = 0.0, least: float | None = None) -> Float[Tensor, " n"]:
    """(N,) losses in nats, negatives weighted by e^(beta·s), beta at least 0; `tau_plus` and `least` as in `debiased`.

    >>> hard_negative(Scores(torch.zeros(4, 2), torch.zeros(4, 2)), 0.5)
    tensor([1.3863, 1.3863, 1.3863, 1.3863])
    """
    if not (is_finite(beta) and beta >= 0):
        raise InputError(f"beta must be at least 0 and finite (0: all negatives alike); got {beta}.")
    if beta == 0:
        return debiased(scores, tau_plus, least=least)
    hard, norm = (scores.logsumexp(beta=b, positives="out") for b in (1 + beta, beta))
    return _against(scores, hard - norm, tau_plus, least)


def _against(scores: Scores, log_mean: Tensor, tau_plus: Any, least: float | None) -> Tensor:
    """-log( p / (p + Q·g) ), g the corrected mean of e^s over the negatives; in logs, so nothing overflows."""
    if scores.true_pairs.labels is not None:
        raise InputError("this objective is of one true pair a row, and labels give several: use columns as positives.")
    positive = scores.positive()
    tau = per_anchor(tau_plus, "tau_plus", positive)
    if not bool(((tau >= 0) & (tau < 1)).all()):
        raise InputError(f"tau_plus must lie from 0 to below 1; got {float(tau.min()):g} to {float(tau.max()):g}.")
    excess = positive + tau.log() - log_mean  # log of the share of the mean that true pairs make up
    left = excess < 0
    share = torch.where(left, excess, -1.0)
    corrected = log_mean + torch.log(-torch.expm1(share)) - torch.log1p(-tau)
    floor = _least(scores, least, bool((tau > 0).any()))
    corrected = torch.where(left, torch.maximum(corrected, floor.to(corrected)), floor.to(corrected))
    log_g = torch.where(tau > 0, corrected, log_mean)
    return -logsigmoid(positive - log_g - chance_counts(scores).to(positive.dtype).log())


def _least(scores: Scores, least: float | None, needed: bool) -> Tensor:
    if least is None and needed and scores.matrix is not None:
        raise InputError(
            "a score matrix does not tell how low its scores can be: give `least`, -1/temperature for cosines."
        )
    return -1 / torch.as_tensor(scores.temperature).reshape(()) if least is None else torch.tensor(least)
