"""Warnings that any method's estimate needs, from the sample and the number alone; each method adds its own."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
from scipy.stats import rankdata

from infomax.data.samples import Sample, Variable
from infomax.estimators.estimate import Caution
from infomax.information import miller_madow

MONOTONE = 1 - 1e-9  # a rank correlation beyond this is a function, not a noisy one
TIED = 0.01  # share of repeated values in a column that is worth a word
SPARSE = 5  # observations a cell of a table, or a column of a continuous side times 10, should have


def common_cautions(sample: Sample, nats: float) -> tuple[Caution, ...]:
    """Dropped rows, what was inferred, ties, duplicates, few samples, and a number that cannot be or is near its end."""
    found = reading_cautions(sample)
    for side, variable in _sides(sample):
        found += _ties(side, variable)
    return (*found, *_duplicates(sample), *_few(sample), *_deterministic(sample), *_out_of_range(sample, nats))


def reading_cautions(sample: Sample) -> list[Caution]:
    """Dropped rows, and what was inferred when the sample was read."""
    return [*_dropped(sample), *(Caution(kind, text) for kind, text in sample.cautions)]


def _sides(sample: Sample) -> list[tuple[str, Variable]]:
    return [("x", sample.x), ("y", sample.y)] + ([] if sample.z is None else [("given", sample.z)])


def _dropped(sample: Sample) -> list[Caution]:
    lost = sum(sample.dropped.values())
    if not lost:
        return []
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in sample.dropped.items())
    return [Caution("dropped rows", f"{lost:,} of {len(sample) + lost:,} rows left out ({reasons}).")]


def _ties(side: str, variable: Variable) -> list[Caution]:
    found = []
    for column in np.flatnonzero(~variable.discrete):
        counts = np.unique(variable.values[:, column], return_counts=True)[1]
        repeated, most, n = int(counts[counts > 1].sum()), int(counts.max()), len(variable)
        if repeated <= TIED * n:
            continue
        name = variable.names[column]
        name = side if name == side else f"{side} ({name!r})"
        text = f"{name}: {repeated / n:.0%} of the values are repeated, one of them {most:,} times of {n:,}"
        found.append(Caution("ties", f"{text}: rounded or counted rather than continuous."))
    return found


def _duplicates(sample: Sample) -> list[Caution]:
    if all(variable.kind == "discrete" for _, variable in _sides(sample)):
        return []
    rows = np.column_stack([variable.values for _, variable in _sides(sample)])
    repeated = len(rows) - len(np.unique(rows, axis=0))
    if repeated <= TIED * len(rows):
        return []
    text = f"{repeated:,} of {len(rows):,} rows repeat another row: there are fewer independent observations than rows."
    return [Caution("duplicated rows", text)]


def _few(sample: Sample) -> list[Caution]:
    n, needed = len(sample), 0
    if sample.x.kind == sample.y.kind == "discrete":
        needed = SPARSE * len(np.unique(sample.x.codes())) * len(np.unique(sample.y.codes()))
    columns = sum(int((~variable.discrete).sum()) for _, variable in _sides(sample))
    needed = max(needed, 10 * SPARSE * columns)
    return (
        [] if n >= needed else [Caution("few samples", f"{n:,} pairs are few here: {needed:,} or more would be safe.")]
    )


def _deterministic(sample: Sample) -> list[Caution]:
    x, y = (variable.values[:, ~variable.discrete] for variable in (sample.x, sample.y))
    if not x.shape[1] or not y.shape[1] or len(x) < 3:
        return []
    scores = [rankdata(side, axis=0) - (len(x) + 1) / 2 for side in (x, y)]
    norms = [np.sqrt((side**2).sum(axis=0)) + 1e-300 for side in scores]  # a constant column correlates with nothing
    if (np.abs(scores[0].T @ scores[1]) / np.outer(*norms)).max() <= MONOTONE:
        return []
    text = "A column of y is a monotone function of one of x: where both are continuous, the information is infinite."
    return [Caution("near-deterministic", text)]


def _largest_entropy(side: Variable) -> float:
    """Two standard errors above its estimate."""
    counts = np.bincount(side.codes())
    n, k = counts.sum(), len(counts)
    surprise = -np.log(counts / n)
    spread = np.average(surprise**2, weights=counts) - np.average(surprise, weights=counts) ** 2
    return miller_madow(counts) + 2 * sqrt(max(spread, 0.0) / n + (k - 1) / (2 * n * n))


def _out_of_range(sample: Sample, nats: float) -> list[Caution]:
    found = []
    for side, variable in _sides(sample)[:2]:
        if variable.kind == "discrete" and nats > (most := _largest_entropy(variable)) + 1e-9:
            text = f"The estimate is above the entropy of {side}, {most:.3f} nats at most: the information cannot be that large."
            found.append(Caution("above entropy", text))
    ceiling = log(len(sample))
    if nats > 0.75 * ceiling:
        text = f"{len(sample):,} pairs show no more than log n = {ceiling:.2f} nats unless a form is assumed: there may be more."
        found.append(Caution("ceiling", text))
    return found
