"""The entropy estimator of Nemenman, Shafee & Bialek (2002, arXiv:physics/0108025): Bayes, with no opinion on the entropy.

A Dirichlet prior of one concentration β all but fixes the entropy before any data. Mixing over β with weight dξ/dβ, ξ(β) the
prior mean of the entropy, makes the prior on the entropy nearly flat. The answer is the posterior mean
∫ E[H | counts, β] P(counts | β) dξ / ∫ P(counts | β) dξ, one integral over log β.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import trapezoid
from scipy.special import betaln, digamma, polygamma

from infomax.information.counts import alphabet_size, occupied, singletons_and_doubletons

NEGLIGIBLE = 45.0  # e^-45 of the peak adds nothing in double precision


def nsb(counts: Any, alphabet: Any = None) -> float:
    """Posterior mean of the entropy in nats, under a prior nearly flat in entropy.

    Args:
        counts: of the symbols; zeros ignored.
        alphabet: number of possible symbols. Unknown, it is taken as the Chao1 estimate, f_1 (f_1 - 1) / (2 (f_2 + 1))
            beyond those seen, itself a lower bound: give it where you know it.
    """
    n_i = occupied(counts)
    size = alphabet_size(n_i, alphabet) if alphabet is not None else chao1(n_i)
    if size == 1:
        return 0.0
    values, times = np.unique(n_i, return_counts=True)
    log_beta = np.linspace(np.log(1e-12 / size), np.log(1e8), 400)
    for _ in range(2):  # the posterior may be a narrow peak: look for it, then look closely
        density = _log_density(np.exp(log_beta), values, times, size)
        near = np.flatnonzero(density > density.max() - NEGLIGIBLE)
        low, high = max(near[0] - 1, 0), min(near[-1] + 1, len(log_beta) - 1)
        log_beta = np.linspace(log_beta[low], log_beta[high], 2000)
    beta = np.exp(log_beta)
    density = _log_density(beta, values, times, size)
    weight = np.exp(density - density.max())
    mean = _posterior_entropy(beta, values, times, size)
    return float(trapezoid(weight * mean, log_beta) / trapezoid(weight, log_beta))


def chao1(counts: Any) -> int:
    """How many symbols there are at least, from how many were seen once and twice (Chao 1984, bias-corrected)."""
    n_i = occupied(counts)
    once, twice = singletons_and_doubletons(n_i)
    return len(n_i) + (once * (once - 1)) // (2 * (twice + 1))


def _log_density(beta: np.ndarray, values: np.ndarray, times: np.ndarray, size: int) -> np.ndarray:
    """log P(counts | β) dξ/dlogβ, up to a constant; log-gamma ratios as beta functions, which do not cancel."""
    n = float((values * times).sum())
    evidence = betaln(size * beta, n) - (times * betaln(beta[:, None], values)).sum(1)
    slope = size * polygamma(1, size * beta + 1) - polygamma(1, beta + 1)
    return evidence + np.log(slope) + np.log(beta)


def _posterior_entropy(beta: np.ndarray, values: np.ndarray, times: np.ndarray, size: int) -> np.ndarray:
    """E[H | counts, β] (Wolpert & Wolf 1995)."""
    total = float((values * times).sum()) + size * beta
    seen = (times * (values + beta[:, None]) * digamma(values + beta[:, None] + 1)).sum(1)
    unseen = (size - times.sum()) * beta * digamma(beta + 1)
    return digamma(total + 1) - (seen + unseen) / total
