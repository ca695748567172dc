"""Columns on one scale before distances: information does not change, the estimate's bias does.

Normal scores replace a value by the normal quantile of its rank: any increasing map of a column gives the same
estimate, heavy tails do no harm, and ties stay ties.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import ndtri

from infomax.errors import InputError

SCALES = ("normal scores", "standard", "none")


def scaled(values: np.ndarray, scale: Any) -> np.ndarray:
    """(n, d) columns, each on the given scale; finite for all finite input.

    Args:
        values: (n, d), finite.
        scale: "normal scores" (ranks to normal quantiles), "standard" (mean 0, standard deviation 1; a constant column
            is 0) or "none" (up to one power of two for all columns, which changes no comparison).
    """
    if scale == "normal scores":
        return np.column_stack([normal_scores(column) for column in values.T]) if values.shape[1] else values
    if scale == "standard":
        return _standard(values)
    if scale == "none":
        return within_range(values)
    raise InputError(f"scale must be one of {', '.join(map(repr, SCALES))}; got {scale!r}.")


def normal_scores(column: np.ndarray) -> np.ndarray:
    """(n,) normal quantiles of (rank - 1/2) / n; equal values share their mean rank.

    >>> normal_scores(np.array([5.0, -1e300, 7.0])).round(3)
    array([ 0.   , -0.967,  0.967])
    """
    n = len(column)
    order = np.argsort(column)
    line = column[order]
    starts = np.flatnonzero(np.concatenate([[True], line[1:] != line[:-1]]))
    quantiles = (np.arange(n) + 0.5) / n
    if len(starts) < n:
        sizes = np.diff(starts, append=n)
        quantiles = np.repeat((starts + sizes / 2) / n, sizes)
    scores = np.empty(n)
    scores[order] = ndtri(quantiles)
    return scores


def within_range(values: np.ndarray) -> np.ndarray:
    """`values` times the power of two that brings the largest near 1, where it is far from 1: differences stay finite."""
    largest = np.abs(values).max(initial=0.0)
    if largest == 0 or 1e-150 < largest < 1e150:
        return values
    return np.ldexp(values, -np.frexp(largest)[1])


def _standard(values: np.ndarray) -> np.ndarray:
    columns = []
    for column in values.T:
        column = within_range(column)
        centred = column - column.mean()
        spread = centred.std()
        columns.append(centred / spread if spread > 0 and np.ptp(column) > 0 else np.zeros_like(column))
    return np.column_stack(columns) if columns else values
