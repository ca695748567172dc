"""Columns on one scale before distances: information does not change, the estimate's bias does.

Normal scores replace a value by the normal quantile of its rank: any increasing map of a column gives the same
estimate, heavy tails do no harm, and ties stay ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from scipy.special import ndtri

from infomax.errors import InputError

SCALES = ("normal scores", "standard", "none")


def scaled(sides: Sequence[np.ndarray], scale: Any, rng: np.random.Generator | None = None) -> list[np.ndarray]:
    """(n, d) sides, each of their columns on the given scale; differences are finite for all finite input.

    Args:
        sides: (n, d) each, finite.
        scale: "normal scores" (ranks to normal quantiles), "standard" (standard deviation 1; distances know no mean, so
            none is taken off and no digits are lost) or "none" (up to one power of two for all, which changes no
            comparison).
        rng: to put light ties in random order, under normal scores.
    """
    if scale not in SCALES:
        raise InputError(f"scale must be one of {', '.join(map(repr, SCALES))}; got {scale!r}.")
    if scale == "none":
        return _within_range(sides)
    one = partial(normal_scores, rng=rng) if scale == "normal scores" else _standard
    return [np.column_stack([one(column) for column in side.T]) if side.shape[1] else side for side in sides]


def normal_scores(column: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
    """(n,) normal quantiles of (rank - 1/2) / n; equal values share their mean rank.

    With `rng`, a value that occurs fewer than √(10 n) times takes the ranks of its ties in random order (the
    distributional transform, Rüschendorf 2009: as the value can be read off the rank, no information is lost or won).

    >>> normal_scores(np.array([5.0, -1e300, 7.0])).round(3)
    array([ 0.   , -0.967,  0.967])
    """
    n = len(column)
    order = np.argsort(column)
    line = column[order]
    starts = np.flatnonzero(np.concatenate([[True], line[1:] != line[:-1]]))
    ranks = np.arange(n) + 0.5
    if len(starts) < n:
        sizes = np.diff(starts, append=n)
        shared = np.ones(len(starts), bool) if rng is None else sizes >= heavy(n)
        ranks = np.where(np.repeat(shared, sizes), np.repeat(starts + sizes / 2, sizes), ranks)
        if rng is not None:
            order = order[np.lexsort((rng.random(n), np.repeat(starts, sizes)))]
    below = ndtri(np.minimum(ranks, n - ranks) / n)
    scores = np.empty(n)
    scores[order] = np.where(2 * ranks <= n, below, -below)  # mirrored exactly, so a falling map mirrors the sample
    return scores


def heavy(n: int) -> float:
    """How often a value occurs that is a point mass to be counted: two of that size share about ten rows by chance."""
    return float(np.sqrt(10 * n))


def _within_range(sides: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The sides times the power of two that brings the largest entry near 1, where it is far from 1."""
    largest = max(float(np.abs(side).max(initial=0.0)) for side in sides)
    if largest == 0 or 1e-150 < largest < 1e150:
        return list(sides)
    return [np.ldexp(side, -int(np.frexp(largest)[1])) for side in sides]


def _standard(column: np.ndarray) -> np.ndarray:
    """(n,) over its standard deviation; zeros for a constant."""
    (column,) = _within_range([column])
    if column.min() == column.max():
        return np.zeros_like(column)
    return column / column.std()
