"""Columns on one scale before distances: information does not change, the estimate's bias does.

Normal scores replace a value by the normal quantile of its rank: any increasing map of a column gives the same
estimate, heavy tails do no harm, and ties stay ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infomax.errors import InputError
from infomax.estimators.normal_scores import normal_scores

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
    if scale == "normal scores":
        return [normal_scores(side, rng) for side in sides]
    return [np.column_stack([_standard(column) for column in side.T]) if side.shape[1] else side for side in sides]


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
