"""Mutual information of a discrete and a continuous variable (Ross 2014).

Around pair i the ball that reaches the k-th neighbour among the n_i pairs of the same level, and m_i the pairs of any level
that are nearer than that neighbour (Ross 2014, equation 4, where m counts the neighbour too: our m_i + 1):

    I = ψ(n) + < ψ(k_i) - ψ(n_i) - ψ(m_i + 1) >,   k_i = min(k, n_i - 1)
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import digamma

from infomax.data.samples import Sample
from infomax.errors import InputError
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.neighbours.cautions import ceiling, column_cautions, nothing_to_tell
from infomax.estimators.neighbours.neighbourhoods import neighbourhoods, psi
from infomax.estimators.neighbours.settings import checked_k, chosen_rows, of_terms, parts_of
from infomax.estimators.neighbours.strata import by_strata, with_neighbours


class Ross(Estimator):
    """Mutual information of one discrete and one continuous side, either way round (Ross 2014).

    Levels seen once have no neighbour of their own: their rows are left out, and counted in a caution. Refused where
    more than k rows of a level are equal on the continuous side: use `MixedKSG`.

    Args:
        k: neighbours within the level.
        scale: of each continuous column, as in `KSG`.
        queries: as in `KSG`.

    >>> rng = np.random.default_rng(0)
    >>> label = rng.integers(0, 2, 1000)
    >>> found = Ross().estimate(label.astype(str), 6 * label + rng.normal(size=1000))
    >>> bool(abs(found.nats - np.log(2)) < 0.02)
    True
    """

    citation = "Ross 2014, PLoS ONE 9:e87357"

    def __init__(self, k: int = 3, scale: str = "normal scores", queries: int | None = None) -> None:
        self.k = k
        self.scale = scale
        self.queries = queries

    @property
    def title(self) -> str:
        return f"Ross, k = {self.k}"

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:
        """See the module. Raises InputError unless one side is discrete and the other continuous, or for point masses."""
        _refuse_other_kinds(sample)
        if sample.z is not None:
            return by_strata(self, sample, rng)
        k = checked_k(self.k, len(sample))
        if (nothing := nothing_to_tell(sample)) is not None:
            return nothing
        kept, left_out = with_neighbours(sample)
        parts, rows = parts_of(kept, self.scale), chosen_rows(self.queries, len(kept), rng)
        around = neighbourhoods(parts, ((0,), (1,)), k, rows)
        _refuse_point_masses(around.radius, k)
        local = psi(around.inside) + digamma(len(kept)) - psi(around.counts[0]) - psi(around.counts[1])
        details = {"k": k, "ceiling": ceiling(len(kept), 1), "queries": len(rows)}
        cautions = (*column_cautions(sample), *left_out)
        return replace(of_terms(local, len(kept)), cautions=cautions, details=details)


def _refuse_other_kinds(sample: Sample) -> None:
    if {sample.x.kind, sample.y.kind} != {"discrete", "continuous"}:
        raise InputError(
            f"Ross is defined on one discrete and one continuous side; x is {sample.x.kind} and y is {sample.y.kind}. Use KSG "
            "where both are continuous, MixedKSG for anything mixed."
        )
    if sample.z is not None and sample.z.kind != "discrete":
        raise InputError(f"Ross takes a discrete z; this one is {sample.z.kind}: use MixedKSG.")


def _refuse_point_masses(radius: np.ndarray, k: int) -> None:
    masses = int(np.count_nonzero(radius == 0))
    if masses:
        raise InputError(
            f"{masses:,} of {len(radius):,} rows are equal to their {k} nearest neighbours of the same level: the continuous "
            "side has point masses. Use MixedKSG (the method `mixed`), which counts them, or drop rows that are copies."
        )
