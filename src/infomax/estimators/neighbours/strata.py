"""Strata: information given a discrete z, I(X; Y | Z) = Σ_z p(z) I(X; Y | Z = z), and rows alone in theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from infomax.data.samples import Sample
from infomax.errors import InputError
from infomax.estimators.estimate import Caution
from infomax.estimators.estimator import Measured
from infomax.estimators.neighbours.neighbourhoods import Part
from infomax.estimators.neighbours.settings import checked_k


def by_strata(estimator: Any, sample: Sample, rng: np.random.Generator) -> Measured:
    """Each stratum of `sample.z` (discrete) by `estimator`, as a sample of its own; those of at most k rows are left out.

    Raises:
        InputError: every stratum is too small.
    """
    assert sample.z is not None
    codes, alone, k = sample.z.codes(), replace(sample, z=None), checked_k(estimator.k, len(sample))
    members = [np.flatnonzero(codes == level) for level in range(codes.max() + 1)]
    large = [rows for rows in members if len(rows) > k]
    if not large:
        raise InputError(
            f"Given a discrete z, each of its levels is measured by itself, and {k} nearest neighbours need at least {k + 1} "
            f"rows there; the largest of {len(members):,} levels has {max(map(len, members))}. Use a smaller k or coarser levels."
        )
    kept = sum(map(len, large))
    found = [_one(estimator, alone.rows(rows), rng, len(sample)) for rows in large]
    weights = np.array([len(rows) / kept for rows in large])
    nats = float(weights @ [each.nats for each in found])
    cautions = _distinct(found) + _left_out(len(sample) - kept, len(sample), len(members) - len(large), k)
    details = {
        "k": k,
        "strata": [{"rows": len(rows), "nats": one.nats} for rows, one in zip(large, found, strict=True)],
    }
    return Measured(nats, _error(weights, found, nats), _local(large, found, len(sample)), cautions, details=details)


def with_neighbours(sample: Sample) -> tuple[Sample, tuple[Caution, ...]]:
    """The rows that share their discrete levels with another; all of them where there is no continuous column."""
    sides = [side for side in (sample.x, sample.y, sample.z) if side is not None]
    if all(side.kind == "discrete" for side in sides):
        return sample, ()
    codes = np.column_stack([side.values[:, side.discrete] for side in sides])
    alone = Part(codes[:, :0], codes).sizes() == 1
    if not alone.any():
        return sample, ()
    if alone.all():
        raise InputError(
            "Every combination of discrete levels occurs once, so no row has a neighbour of its own levels. Is one of those "
            "columns an identifier, or a continuous one?"
        )
    text = (
        f"{int(alone.sum()):,} of {len(sample):,} rows are alone in their combination of discrete levels and are left out: no "
        "neighbour says anything about them, and the value speaks of the other rows."
    )
    return sample.rows(np.flatnonzero(~alone)), (Caution("single levels", text),)


def _one(estimator: Any, stratum: Sample, rng: np.random.Generator, n: int) -> Measured:
    if estimator.queries is not None:
        share = max(2, round(estimator.queries * len(stratum) / n))
        estimator = clone(estimator).set_params(queries=share)
    measured: Measured = estimator.measure(stratum, rng)
    return measured


def _local(large: list[np.ndarray], found: list[Measured], n: int) -> np.ndarray | None:
    """(n,) the terms of all rows, where all have one."""
    local = np.full(n, np.nan)
    for rows, each in zip(large, found, strict=True):
        if each.local is not None:
            local[rows] = each.local
    return None if np.isnan(local).any() else local


def _error(weights: np.ndarray, found: list[Measured], nats: float) -> float | None:
    """Of a random few rows of every stratum, and of how many rows each stratum happens to have."""
    errors = [each.standard_error for each in found if each.standard_error is not None]
    if len(errors) < len(found):
        return None
    rows = sum(each.details["queries"] for each in found)
    between = weights @ (np.array([each.nats for each in found]) - nats) ** 2 / rows
    return float(np.sqrt(weights**2 @ np.square(errors) + between))


def _distinct(found: list[Measured]) -> tuple[Caution, ...]:
    kinds: dict[str, Caution] = {}
    for each in found:
        for caution in each.cautions:
            kinds.setdefault(caution.kind, Caution(caution.kind, f"In at least one stratum of z: {caution.text}"))
    return tuple(kinds.values())


def _left_out(rows: int, n: int, levels: int, k: int) -> tuple[Caution, ...]:
    if not rows:
        return ()
    text = f"{rows:,} of {n:,} rows are left out: their {levels:,} levels of z have at most k = {k} rows each."
    return (Caution("small strata", text),)
