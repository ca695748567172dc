"""Numbers that were rounded, put apart again without a change of information.

Tables hold few digits, so neighbours tie, and methods for continuous variables are far off: two independent normal columns
rounded to 0.05 seem to share 0.3 nats. Let U be independent of everything and uniform over the cell of numbers that are
nearer to Y than to its neighbours among the values. Then Y can be read off Y + U, so I(X; Y + U) = I(X; Y) exactly, for
whatever Y is; and Y + U has no ties.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infomax.data.samples import Sample, Variable
from infomax.estimators.estimate import Caution

TIED = 0.01  # share of repeated values from which a column is taken as rounded


def without_ties(sample: Sample, rng: np.random.Generator) -> tuple[Sample, tuple[Caution, ...]]:
    """The sample with the tied values of its continuous columns spread over their cells, and what is to be said of it."""
    (x, in_x), (y, in_y) = _spread(sample.x, rng), _spread(sample.y, rng)
    z, in_z = (None, []) if sample.z is None else _spread(sample.z, rng)
    if not (said := [*in_x, *in_y, *in_z]):
        return sample, ()
    text = (
        f"Repeated values of {', '.join(said)}: taken as rounded, and spread evenly over what rounds to them, which changes "
        "no information. Take a column as discrete where its repeated values are levels."
    )
    return replace(sample, x=x, y=y, z=z), (Caution("ties", text),)


def spread_over_cells(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) each value plus noise that is uniform over its cell, half-way to its neighbours; the ends' cells are even.

    >>> found = spread_over_cells(np.array([1.0, 2.0, 2.0, 4.0]), np.random.default_rng(0))
    >>> np.array_equal(np.digitize(found, [1.5, 3.0]), [0, 1, 1, 2])
    True
    """
    levels, place = np.unique(values, return_inverse=True)
    if len(levels) < 2:
        return values
    half = np.diff(levels) / 2
    below, above = np.concatenate([half[:1], half]), np.concatenate([half, half[-1:]])
    return values + rng.uniform(-below[place.reshape(-1)], above[place.reshape(-1)])


def _spread(side: Variable, rng: np.random.Generator) -> tuple[Variable, list[str]]:
    values, said = side.values.copy(), []
    for j in np.flatnonzero(~side.discrete):
        distinct, counts = np.unique(side.values[:, j], return_counts=True)
        tied = float(counts[counts > 1].sum() / len(values))
        if tied > TIED and len(distinct) > 1:
            values[:, j] = spread_over_cells(side.values[:, j], rng)
            said.append(f"{side.names[j]!r} ({tied:.0%})")
    return (replace(side, values=values), said) if said else (side, [])
