"""Information given a discrete z: I(X; Y | Z) = Σ_z p(z) I(X; Y | Z = z), each stratum measured as a sample of its own."""

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
    """The strata of `sample.z` (discrete) by `estimator`, weighed by their rows; strata of at most k rows are left out.

    Raises:
        InputError: every stratum is too small.
    """
    assert sample.z is not None
    codes, alone, n = sample.z.codes(), replace(sample, z=None), len(sample)
    sizes = np.bincount(codes)
    k = checked_k(estimator.k, n)
    if sizes.max() <= k:
        raise InputError(
            f"Given a discrete z, each of its levels is measured by itself, and {k} nearest neighbours need at least "
            f"{k + 1} rows there; the largest of {len(sizes):,} levels has {sizes.max()}. Use a smaller k or coarser levels."
        )
    large = np.flatnonzero(sizes > k)
    found = [_one(estimator, alone.rows(np.flatnonzero(codes == level)), rng, n) for level in large]
    weights = sizes[large] / sizes[large].sum()
    nats = float(np.sum(weights * [each.nats for each in found]))
    cautions = _distinct(found) + _left_out(int(sizes[sizes <= k].sum()), n, int((sizes <= k).sum()), k)
    details = {"k": k, "strata": {int(level): each.nats for level, each in zip(large, found, strict=True)}}
    return Measured(nats, standard_error=_error(weights, found, nats), cautions=cautions, details=details)


def _one(estimator: Any, stratum: Sample, rng: np.random.Generator, n: int) -> Measured:
    if estimator.queries is not None:
        share = max(2, round(estimator.queries * len(stratum) / n))
        estimator = clone(estimator).set_params(queries=share)
    measured: Measured = estimator.measure(stratum, rng)
    return measured


def _error(weights: np.ndarray, found: list[Measured], nats: float) -> float:
    """Of the terms within strata, and of how many rows each stratum happens to have."""
    within = [(weight * (each.standard_error or 0.0)) ** 2 for weight, each in zip(weights, found, strict=True)]
    rows = sum(len(each.local) for each in found if each.local is not None)
    between = np.sum(weights * (np.array([each.nats for each in found]) - nats) ** 2) / rows
    return float(np.sqrt(np.sum(within) + between))


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
