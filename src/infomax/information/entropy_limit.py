"""How large an entropy may be, given counts: a limit that holds with a stated probability, for any distribution.

With K possible symbols, P(n KL(counts/n || p) > n ε) <= e^(-nε) (e ε n / (K - 1))^(K - 1) for ε > (K - 1)/n (Agrawal 2020, IEEE
Trans. Inf. Theory 66:6297, arXiv:1904.02291, theorem 1.2). The limit is the largest entropy of any p within that radius. There
-log p_i - 1 + λ q_i/p_i is one constant over i, q the frequencies, so each p_i is a Wright omega function of two multipliers.
"""

from __future__ import annotations

from functools import lru_cache
from math import log
from typing import Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import entr, rel_entr, wrightomega

from infomax.information.counts import alphabet_size, occupied


def entropy_limit(counts: Any, confidence: float = 0.95, alphabet: int | None = None) -> float:
    """A limit in nats that the entropy exceeds with probability at most 1 - confidence.

    Args:
        counts: of symbols drawn independently; zeros ignored.
        confidence: of the limit.
        alphabet: number of possible symbols; None takes those seen for all there are, and the limit rests on that.

    >>> round(entropy_limit([999, 1]), 3), round(entropy_limit([500, 500]), 3)
    (0.05, 0.693)
    """
    n_i = occupied(counts)
    values, times = np.unique(n_i, return_counts=True)
    return _limit(tuple(values.tolist()), tuple(times.tolist()), alphabet_size(n_i, alphabet), confidence)


@lru_cache(maxsize=64)  # shuffled columns have the same counts
def _limit(values: tuple[int, ...], times: tuple[int, ...], size: int, confidence: float) -> float:
    """Symbols of one count have one share in the largest p as well, so they are computed once."""
    if size == 1:
        return 0.0
    q = np.array([*values, 0]) / np.dot(values, times)
    alike = np.array([*times, size - sum(times)])
    radius = kl_radius(int(np.dot(values, times)), size, confidence)
    if rel_entr(q, 1 / size) @ alike <= radius:
        return log(size)

    def excess(log_multiplier: float) -> float:
        return float(rel_entr(q, _largest(q, alike, np.exp(log_multiplier))) @ alike) - radius

    high = 0.0
    while excess(high) > 0:
        high += 5.0
    return float(entr(_largest(q, alike, np.exp(brentq(excess, -30.0, high, xtol=1e-9)))) @ alike)


def kl_radius(n: int, size: int, confidence: float) -> float:
    """The ε within which KL(frequencies || truth) lies with at least this probability, n draws of `size` symbols."""
    free, miss = size - 1, log(1 - confidence)

    def excess(radius: float) -> float:
        return free * (1 + log(radius * n / free)) - n * radius - miss

    high = 2 * (free - miss) / n
    while excess(high) > 0:
        high *= 2
    return float(brentq(excess, free / n, high, xtol=1e-15))


def _largest(q: np.ndarray, alike: np.ndarray, multiplier: float) -> np.ndarray:
    """The p of largest entropy + multiplier · sum q log p: p_i = λ q_i / ω(ν + log λ q_i), or e^-ν where q_i = 0."""
    live = q > 0
    log_q = np.log(multiplier * q[live])

    def p_of(nu: float) -> np.ndarray:
        p = np.full(len(q), np.exp(-nu))
        p[live] = np.exp(log_q - np.log(wrightomega(nu + log_q)))
        return p

    def excess(nu: float) -> float:
        return float(p_of(nu) @ alike) - 1

    low, high = 0.0, log(alike.sum()) + multiplier + 1.0
    while excess(low) < 0:
        low -= 10.0
    while excess(high) > 0:
        high *= 2
    p = p_of(brentq(excess, low, high, xtol=1e-12))
    return p / (p @ alike)
