"""Reading a score on rows by InfoNCE: how much better it knows each row's own y than the other rows' ones.

Rows are cut into groups; within a group of C rows each x is compared with all C candidates, and the term of a row is
log C + f(x, y) - log Σ_j e^f(x, y_j). On rows that the score was not fitted to or chosen by, the expected mean is at most
min(I, log C) (van den Oord et al. 2018; Poole et al. 2019). A row also takes part as a candidate of the others; its
influence on the mean is its own term less that part, Σ_i p_ij - 1 with p the softmax of row i.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from infomax.data.samples import Sample
from infomax.estimators.canonical import LARGEST_RHO, CanonicalPairs, gaussian_table
from infomax.estimators.normal_scores import NormalScores

GROUP = 1024  # candidates a row, at most

Table = Callable[[np.ndarray], np.ndarray]  # positions of a group, (C,) -> scores of its rows and candidates, (C, C)


@dataclass(frozen=True)
class Terms:
    """InfoNCE row by row.

    Attributes:
        local: (m,) terms in nats, whose mean is the value.
        influence: (m,) of each row on the mean.
        matched: (m,) scores of the true pairs themselves.
        ceiling: mean log of the candidates.
    """

    local: np.ndarray
    influence: np.ndarray
    matched: np.ndarray
    ceiling: float

    @classmethod
    def joined(cls, parts: list[Terms]) -> Terms:
        """The terms of several parts, one after the other."""
        local, influence, matched = (
            np.concatenate([getattr(p, name) for p in parts]) for name in ("local", "influence", "matched")
        )
        ceiling = np.average([p.ceiling for p in parts], weights=[len(p.local) for p in parts])
        return cls(local, influence, matched, float(ceiling))

    def rows(self, index: np.ndarray) -> Terms:
        """The terms at these positions."""
        return Terms(self.local[index], self.influence[index], self.matched[index], self.ceiling)

    @property
    def nats(self) -> float:
        """The InfoNCE value."""
        return float(self.local.mean())

    @property
    def standard_error(self) -> float:
        """Of the value."""
        return float(self.influence.std(ddof=1) / np.sqrt(len(self.influence)))


def info_nce_terms(table: Table, m: int) -> Terms:
    """Terms of m rows whose scores `table` gives, group by group.

    >>> round(info_nce_terms(lambda group: 20 * np.eye(len(group)), 8).nats, 4)  # log 8
    2.0794
    """
    parts = []
    for group in np.array_split(np.arange(m), max(1, -(-m // GROUP))):
        scores = table(group).astype(float)
        highest = scores.max(1)
        weights = np.exp(scores - highest[:, None])
        sums = weights.sum(1)
        matched = scores.diagonal().copy()
        ceiling = float(np.log(len(group)))
        local = matched - highest - np.log(sums) + ceiling
        taken = (weights / sums[:, None]).sum(0)
        parts.append(Terms(local, local - (taken - 1), matched, ceiling))
    return Terms.joined(parts)


def copula_terms(sample: Sample, fit: np.ndarray, read: np.ndarray) -> tuple[Terms, Terms]:
    """Terms of the rows `read` by the Gaussian copula of the rows `fit`: with all correlations, and with the shrunk ones."""
    x, y = (NormalScores.fit(side.values[fit])(side.values) for side in (sample.x, sample.y))
    pairs = CanonicalPairs.fit(x[fit], y[fit])
    u, v = pairs.variates(x[read], y[read])

    def terms(rho: np.ndarray) -> Terms:
        rho, kept = np.minimum(rho, LARGEST_RHO), len(rho)
        return info_nce_terms(lambda group: gaussian_table(u[group, :kept], v[group, :kept], rho), len(read))

    return terms(pairs.rho), terms(pairs.unbiased())


def constant_terms(sizes: list[int]) -> Terms:
    """Terms of parts of these sizes by a score that is the same for all pairs: 0."""
    return Terms.joined([info_nce_terms(lambda group: np.zeros((len(group), len(group))), m) for m in sizes])
