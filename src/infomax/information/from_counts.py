"""Entropy and mutual information estimated from counts, each by any of the entropy estimators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import entr

from infomax.errors import InputError
from infomax.information.chance import adjusted
from infomax.information.counts import checked_counts
from infomax.information.entropy_estimators import (
    chao_shen,
    chao_wang_jost,
    grassberger,
    james_stein,
    miller_madow,
    plug_in,
    shrunk_frequencies,
)
from infomax.information.nsb import nsb
from infomax.information.units import in_base

ENTROPY_METHODS = (plug_in, miller_madow, grassberger, chao_shen, chao_wang_jost, james_stein, nsb)


def entropy_from_counts(
    counts: Any,
    method: str | Callable[..., float] = chao_wang_jost,
    *,
    alphabet: int | None = None,
    base: float | None = None,
) -> float:
    """Entropy of the distribution that the counts were drawn from.

    Args:
        counts: how often each symbol was seen, any shape; zeros are ignored.
        method: an estimator such as `miller_madow`, or its name; any function (counts, alphabet) -> nats will do.
        alphabet: number of possible symbols, where it is known; `james_stein` and `nsb` use it.
        base: of the logarithm; None for nats.

    Raises:
        InputError: counts that are no counts, an unknown method, an alphabet smaller than what was seen.

    >>> round(entropy_from_counts([4, 2, 1, 1], "plug_in", base=2), 4)
    1.75
    """
    return float(in_base(_entropy_method(method)(checked_counts(counts), alphabet), base))


def mutual_information_from_counts(
    table: Any, method: str | Callable[..., float] = "adjusted", *, base: float | None = None
) -> float:
    """Mutual information of the distribution that a contingency table was drawn from.

    Args:
        table: (r, c) how often each pair was seen; axis 0 is x, axis 1 is y. Rows and columns of zeros are left out.
        method: "adjusted" for chance (see `adjusted`), or an entropy estimator or its name, which gives
            H(X) + H(Y) - H(X, Y); `james_stein` shrinks the joint table and takes the information of that; `nsb` is told that
            the pairs are those of the rows and columns seen.
        base: of the logarithm; None for nats.

    Raises:
        InputError: a table that is none, an unknown method.

    >>> round(mutual_information_from_counts([[50, 0], [0, 50]], "plug_in", base=2), 4)
    1.0
    """
    counts = occupied_table(table)
    if method == "adjusted" or method is adjusted:
        return float(in_base(adjusted(counts), base))
    return float(in_base(_of_entropies(counts, _entropy_method(method)), base))


def occupied_table(table: Any) -> np.ndarray:
    """(r, c) int64 counts without the rows and columns that hold none.

    Raises:
        InputError: not two axes, or no counts.
    """
    counts = checked_counts(table)
    if counts.ndim != 2:
        raise InputError(f"a contingency table must have two axes, x and y; got shape {counts.shape}.")
    return counts[counts.any(axis=1)][:, counts.any(axis=0)]


def _entropy_method(method: Any) -> Callable[..., float]:
    if callable(method):
        return method
    for known in ENTROPY_METHODS:
        if known.__name__ == method:
            return known
    names = ", ".join(known.__name__ for known in ENTROPY_METHODS)
    raise InputError(f"method must be a function of counts or one of {names}; got {method!r}.")


def _of_entropies(counts: np.ndarray, method: Callable[..., float]) -> float:
    if method is james_stein:
        return _of_shrunk(counts)
    rows, columns = counts.shape
    return method(counts.sum(1), rows) + method(counts.sum(0), columns) - method(counts, rows * columns)


def _of_shrunk(counts: np.ndarray) -> float:
    """Shrinking the margins apart from the joint table would not be the information of any table."""
    seen = counts > 0
    frequencies, unseen = shrunk_frequencies(counts[seen], counts.size)
    joint = np.full(counts.shape, unseen)
    joint[seen] = frequencies
    return float(entr(joint.sum(0)).sum() + entr(joint.sum(1)).sum() - entr(joint).sum())
