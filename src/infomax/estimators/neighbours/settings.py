"""What the nearest-neighbour estimators check before they begin."""

from __future__ import annotations

from typing import Any

import numpy as np

from infomax.data.samples import Sample, Variable
from infomax.errors import InputError
from infomax.estimators.estimator import Measured
from infomax.estimators.neighbours.neighbourhoods import Part
from infomax.estimators.neighbours.scaling import scaled


def parts_of(sample: Sample, scale: Any, rng: np.random.Generator | None = None) -> list[Part]:
    """x, y and, where it is given, z: continuous columns on the scale (light ties spread by `rng`), discrete ones' codes."""
    sides = [side for side in (sample.x, sample.y, sample.z) if side is not None]
    continuous = scaled([side.values[:, ~side.discrete] for side in sides], scale, rng)
    return [Part(values, side.values[:, side.discrete]) for values, side in zip(continuous, sides, strict=True)]


def checked_k(k: Any, n: int) -> int:
    """k as an int, with enough rows for it."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k must be a whole number of neighbours, at least 1; got {k!r}.")
    if n <= k:
        raise InputError(f"{k} nearest neighbours need at least {k + 1} rows; got {n}. Use more rows or a smaller k.")
    return int(k)


def chosen_rows(queries: Any, n: int, rng: np.random.Generator) -> np.ndarray:
    """Positions of the rows whose neighbourhoods are looked at: all, or `queries` of them at random."""
    if queries is None:
        return np.arange(n)
    if isinstance(queries, bool) or not isinstance(queries, int | np.integer) or queries < 2:
        raise InputError(f"queries must be a whole number of rows, at least 2, or None for all; got {queries!r}.")
    return np.arange(n) if queries >= n else np.sort(rng.choice(n, int(queries), replace=False))


def is_constant(side: Variable) -> bool:
    """Whether every row is the same."""
    return bool((side.values == side.values[:1]).all())


def of_terms(local: np.ndarray, n: int) -> Measured:
    """The mean of the terms of m of n rows.

    Terms of neighbours depend on one another: the spread of all n of them would give a standard error that is too small
    by a factor of 1.2 to 1.4 (docs/guides/neighbours.md), so that is left to subsampling. A random few are nearly
    independent, given the sample, and as much again is allowed for the sample.
    """
    m = len(local)
    if m == n:
        return Measured(float(local.mean()), local=local)
    return Measured(float(local.mean()), standard_error=float(local.std(ddof=1) * np.sqrt(1 / m + 1 / n)))
