"""Entropy from counts, in nats. The plug-in value is too low, by about (symbols - 1) / (2 n): it takes what was not seen for
what cannot be. Each correction here adds back what it believes is missing; the bias of each is measured in the guide.

Every function takes the counts (any shape, zeros ignored) and the number of possible symbols where that is known, and
gives nats. An estimate may exceed the log of the alphabet: it is not clipped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import digamma, entr, hyperu, xlogy

from infomax.information.counts import alphabet_size, occupied, singletons_and_doubletons


def plug_in(counts: Any, alphabet: Any = None) -> float:
    """Entropy of the observed frequencies: maximum likelihood, biased low.

    >>> round(plug_in([2, 2]), 4)
    0.6931
    """
    n_i = occupied(counts)
    alphabet_size(n_i, alphabet)
    return float(entr(n_i / n_i.sum()).sum())


def miller_madow(counts: Any, alphabet: Any = None) -> float:
    """Plug-in + (symbols seen - 1) / (2 n), the first term of the bias in 1/n (Miller 1955)."""
    n_i = occupied(counts)
    return plug_in(n_i, alphabet) + (len(n_i) - 1) / (2 * int(n_i.sum()))


def grassberger(counts: Any, alphabet: Any = None) -> float:
    """log n - (1/n) sum n_i G(n_i), G(n) = ψ(n) + (-1)^n [ψ((n + 1)/2) - ψ(n/2)] / 2.

    Grassberger 2003, arXiv:physics/0307138, equations 28 and 35: of all sums of one term a symbol, nearly the least biased
    where many symbols are rare.
    """
    n_i = occupied(counts)
    alphabet_size(n_i, alphabet)
    return of_terms(n_i, grassberger_terms)


def schurmann(counts: Any, alphabet: Any = None) -> float:
    """Grassberger's sum with G(n) = ψ(n) + (-1)^n ∫ t^(n - 1) / (1 + t) dt over 0 <= t <= e^(1/2) - 1.

    Schürmann 2004, arXiv:cond-mat/0403192, with his choice of the upper limit; 1 gives Grassberger's, 0 none. The term of
    changing sign then dies out fast in n, which leaves a little more bias and less noise.
    """
    n_i = occupied(counts)
    alphabet_size(n_i, alphabet)
    return of_terms(n_i, schurmann_terms)


def of_terms(n_i: np.ndarray, terms: Callable[[np.ndarray], np.ndarray]) -> float:
    """log n - (1/n) sum f(n_i) for the terms f, of counts above zero."""
    n = float(n_i.sum())
    return float(np.log(n) - terms(n_i).sum() / n)


def grassberger_terms(counts: np.ndarray) -> np.ndarray:
    """n G(n) of each count, 0 for none: what takes the place of n log n."""
    n = np.maximum(counts, 1).astype(float)
    sign = np.where(n % 2, -0.5, 0.5)
    return np.where(counts > 0, n * (digamma(n) + sign * (digamma((n + 1) / 2) - digamma(n / 2))), 0.0)


def digamma_terms(counts: np.ndarray) -> np.ndarray:
    """n ψ(n) of each count, 0 for none: Grassberger's and Schürmann's terms without the part of changing sign."""
    return np.where(counts > 0, counts * digamma(np.maximum(counts, 1)), 0.0)


def schurmann_terms(counts: np.ndarray) -> np.ndarray:
    """The same with Schürmann's G."""
    n = np.maximum(counts, 1)
    return np.where(counts > 0, n * (digamma(n) + ALTERNATING[np.minimum(n, len(ALTERNATING) - 1)]), 0.0)


def _alternating(limit: float, size: int) -> np.ndarray:
    """(size,) (-1)^n ∫ t^(n - 1) / (1 + t) dt up to `limit` < 1, the geometric series integrated; index 0 is not used."""
    n, k = np.arange(size)[:, None], np.arange(400)
    terms = (-1.0) ** (n + k) * limit ** (n + k) / np.maximum(n + k, 1)
    return terms.sum(1)


ALTERNATING = _alternating(np.exp(0.5) - 1, 90)  # beyond 90 below 1e-18


def n_log_n(counts: np.ndarray) -> np.ndarray:
    """The plug-in estimator's term of each count."""
    return xlogy(counts, counts)


def chao_shen(counts: Any, alphabet: Any = None) -> float:
    """Horvitz-Thompson on frequencies shrunk to the coverage 1 - f_1/n (Chao & Shen 2003).

    Each symbol is weighted by 1 / P(seen at all). Where every symbol was seen once the coverage would be 0: f_1 = n - 1 is
    taken, as the authors' software does.
    """
    n_i = occupied(counts)
    alphabet_size(n_i, alphabet)
    n = int(n_i.sum())
    once, _ = singletons_and_doubletons(n_i)
    if n == 1:
        return 0.0
    p = (1 - min(once, n - 1) / n) * n_i / n
    return float((entr(p) / -np.expm1(n * np.log1p(-np.minimum(p, 1 - 1e-16)))).sum())


def chao_wang_jost(counts: Any, alphabet: Any = None) -> float:
    """The entropy that the curve of newly seen symbols extrapolates to (Chao, Wang & Jost 2013, equation 8).

    sum (n_i/n) (ψ(n) - ψ(n_i)), plus what more than n samples would still add: f_1/n times sum (1 - A)^(j + 1) / (n + j)
    over j >= 0, where A, from the symbols seen once (f_1) and twice (f_2), is the mean share of a symbol seen once.
    """
    n_i = occupied(counts)
    alphabet_size(n_i, alphabet)
    n = int(n_i.sum())
    once, twice = singletons_and_doubletons(n_i)
    seen = float((n_i * (digamma(n) - digamma(n_i))).sum() / n)
    if once == 0 or n == 1:
        return seen
    rare = 2 * twice / ((n - 1) * once + 2 * twice) if twice else 2 / ((n - 1) * (once - 1) + 2)
    return seen + once / n * _tail(n, rare)


def _tail(n: int, rare: float) -> float:
    """sum (1 - rare)^(j + 1) / (n + j) over j >= 0.

    The authors write it as (1 - rare)^(1 - n) times a difference that all but cancels, which overflows for large n. Here it
    is summed while the terms die out fast, else taken from Euler and Maclaurin's formula around e^x E1(x), x = n s.
    """
    q = 1 - rare
    if rare > 1e-3:
        j = np.arange(int(40 / rare) + 1)
        return float((q ** (j + 1) / (n + j)).sum())
    s = -np.log1p(-rare)
    slope = (s + 1 / n) / n
    third = (s**3 + 3 * s**2 / n + 6 * s / n**2 + 6 / n**3) / n
    return float(q * (hyperu(1, 1, n * s) + 1 / (2 * n) + slope / 12 - third / 720))


def james_stein(counts: Any, alphabet: Any = None) -> float:
    """Entropy of the frequencies shrunk towards uniform over the alphabet (Hausser & Strimmer 2009, arXiv:0811.3579)."""
    n_i = occupied(counts)
    size = alphabet_size(n_i, alphabet)
    shrunk, unseen = shrunk_frequencies(n_i, size)
    return float(entr(shrunk).sum() + (size - len(n_i)) * entr(unseen))


def shrunk_frequencies(n_i: np.ndarray, size: int) -> tuple[np.ndarray, float]:
    """λ/size + (1 - λ) n_i/n of the symbols seen, and of one unseen: the λ of least estimated mean square error.

    λ = (1 - sum p²) / ((n - 1) sum (1/size - p)²), within 0 and 1 (the same paper, equation 8).
    """
    n = int(n_i.sum())
    p = n_i / n
    squares = float((p**2).sum())
    spread = max(squares - 1 / size, 0.0)
    weight = 1.0 if (n - 1) * spread <= 1 - squares else (1 - squares) / ((n - 1) * spread)
    return weight / size + (1 - weight) * p, weight / size
