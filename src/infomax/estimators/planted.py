"""A known dependence in a user's own columns: rows of x and rows of y as they are, paired anew.

Draw n pairs of correlated normals (g, h). The rows of x, in the order of one number s(x) of theirs, go to the draws in the
order of g; the rows of y likewise to h. Then x and y depend through a Gaussian copula of s(x) and s(y) alone, and

    I(X; Y) = I(s(X); s(Y)) = -½ log(1 - ρ²)  where both numbers are continuous,

and that of the table, or of the mixture, which thresholds of g and h make where they are levels. Both marginals stay what
they were, with their tails, ties and shapes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, xlogy
from scipy.stats import rankdata

from infomax.data.samples import Sample, Variable
from infomax.estimators.normal_scores import normal_scores

TIED = 0.01  # share of repeated values from which a column counts as levels
CELLS = 200  # levels at most: neighbouring values of a column with more share one
STRONGEST = 0.999


@dataclass(frozen=True)
class Planting:
    """How to plant: the correlation of the copula, and the mutual information that it means here, in nats."""

    rho: float
    nats: float


def planting(sample: Sample, nats: float) -> Planting:
    """The correlation that plants `nats`; or half of what the columns can hold, where that is less."""
    x, y = ordering(sample.x), ordering(sample.y)
    levels = _levels(x), _levels(y)
    if nats <= 0:
        return Planting(0.0, 0.0)
    most = planted_nats(STRONGEST, *levels)
    wanted = min(nats, most / 2)
    rho = float(brentq(lambda r: planted_nats(r, *levels) - wanted, 0.0, STRONGEST, xtol=1e-6))
    return Planting(rho, planted_nats(rho, *levels))


def plant(sample: Sample, rho: float, rng: np.random.Generator) -> Sample:
    """The rows of x and of y paired anew through a Gaussian copula of correlation rho; what was given is left out."""
    g = rng.normal(size=len(sample))
    h = rho * g + np.sqrt(1 - rho**2) * rng.normal(size=len(sample))
    x, y = (
        np.lexsort((rng.random(len(sample)), ordering(side)))[rankdata(draw, method="ordinal") - 1]
        for side, draw in ((sample.x, g), (sample.y, h))
    )
    return Sample(sample.x.rows(x), sample.y.rows(y), None, sample.dropped, sample.cautions)


def ordering(variable: Variable) -> np.ndarray:
    """(n,) the number by which rows are ordered: the level, or the main direction of the continuous columns' scores."""
    if variable.kind == "discrete":
        return variable.codes().astype(float)
    values = variable.values[:, ~variable.discrete]
    if values.shape[1] == 1:
        return values[:, 0]
    scores = normal_scores(values)
    return scores @ np.linalg.svd(scores - scores.mean(0), full_matrices=False)[2][0]


def planted_nats(rho: float, x: np.ndarray | None, y: np.ndarray | None) -> float:
    """I of thresholded correlated normals; x and y are shares of levels, in order, or None for a continuous side.

    >>> round(planted_nats(0.6, None, None), 4)
    0.2231
    >>> round(planted_nats(0.6, np.array([0.5, 0.5]), np.array([0.5, 0.5])), 4)  # P(same) = 1/2 + asin(0.6) / π
    0.0864
    """
    if x is None and y is None:
        return float(-0.5 * np.log(1 - rho**2))
    if x is None or (y is not None and len(x) > len(y)):
        x, y = y, x
    assert x is not None
    edges = ndtri(np.concatenate([[0.0], np.minimum(np.cumsum(x[:-1]), 1.0), [1.0]]))
    quantiles, weights = _nodes(np.ones(1) if y is None else y, 400 if y is None else max(6, 400 // len(y)))
    below = ndtr((edges - rho * ndtri(quantiles)[:, :, None]) / np.sqrt(1 - rho**2))
    given = np.diff(below, axis=2)  # (levels of y, nodes, levels of x)
    if y is None:
        return float((weights[0] * (xlogy(given[0], given[0]) - xlogy(given[0], x)).sum(1)).sum())
    joint = (weights[:, :, None] * given).sum(1)
    return float((xlogy(joint, joint) - xlogy(joint, joint.sum(0)) - xlogy(joint, joint.sum(1)[:, None])).sum())


def _nodes(shares: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """(levels, count) Gauss-Legendre nodes and weights of the quantiles of each level."""
    nodes, weights = np.polynomial.legendre.leggauss(count)
    starts = np.cumsum(shares) - shares
    return starts[:, None] + shares[:, None] * (nodes + 1) / 2, shares[:, None] * weights / 2


def _levels(order: np.ndarray) -> np.ndarray | None:
    """Shares of the levels of a tied column, in order; None for a continuous one."""
    counts = np.unique(order, return_counts=True)[1]
    if counts[counts > 1].sum() <= TIED * len(order):
        return None
    if len(counts) > CELLS:
        cells = (np.cumsum(counts) - counts / 2) * CELLS // len(order)
        counts = np.bincount(np.unique(cells, return_inverse=True)[1].reshape(-1), weights=counts)
    return counts / len(order)
