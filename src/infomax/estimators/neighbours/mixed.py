"""Mutual information of anything with anything: continuous, discrete, point masses, ties, columns of each kind.

As KSG where neighbours lie apart. Where a ball is tied (several pairs at the k-th distance, as in a point mass, whose radius
is 0), all of its t_i pairs are counted, and so are all points in its projections (Gao et al. 2017, algorithm 1; with a z of
any kind Mesner & Shalizi 2019, algorithm 1):

    I = < ψ(t_i) + ψ(n) - ψ(n_x,i) - ψ(n_y,i) >,      given z:  < ψ(t_i) + ψ(n_z,i) - ψ(n_xz,i) - ψ(n_yz,i) >

n counting the row itself. On untied continuous data this is KSG 1, with one discrete side it is Ross, and on discrete
data it is the plug-in value with the Miller-Madow correction up to O(1/n²), since ψ(t) ≈ log t - 1/2t. The papers write
log for some of the ψ and take levels for numbers; here different levels are never neighbours.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import digamma

from infomax.data.samples import Sample
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.neighbours.cautions import ceiling, nothing_to_tell
from infomax.estimators.neighbours.neighbourhoods import Part, neighbourhoods, psi
from infomax.estimators.neighbours.settings import checked_k, chosen_rows, of_terms, parts_of
from infomax.estimators.neighbours.strata import with_neighbours


class MixedKSG(Estimator):
    """Mutual information of variables of any kind, conditional on one of any kind (Gao et al. 2017; Mesner & Shalizi 2019).

    Rows that are alone in their combination of discrete levels, with continuous columns beside, have no neighbour: they are
    left out, and counted in a caution.

    Args:
        k: neighbours.
        scale: of each continuous column, as in `KSG`.
        queries: as in `KSG`.

    >>> rng = np.random.default_rng(0)
    >>> x = np.maximum(rng.normal(size=2000), 0.0)  # half of it a point mass
    >>> found = MixedKSG().estimate(x, rng.normal(size=2000))
    >>> bool(abs(found.nats) < 0.05)
    True
    """

    citation = "Gao, Kannan, Oh & Viswanath 2017, NeurIPS; Mesner & Shalizi 2019, IEEE Trans. Information Theory 67:464"

    def __init__(self, k: int = 3, scale: str = "normal scores", queries: int | None = None) -> None:
        self.k = k
        self.scale = scale
        self.queries = queries

    @property
    def title(self) -> str:
        return f"mixed KSG, k = {self.k}"

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:
        """See the module. Raises InputError for too few rows, or where no two rows share their discrete levels."""
        k = checked_k(self.k, len(sample))
        if (nothing := nothing_to_tell(sample)) is not None:
            return nothing
        kept, cautions = with_neighbours(sample)
        parts, rows = parts_of(kept, self.scale), chosen_rows(self.queries, len(kept), rng)
        local = _local(parts, k, rows)
        details = {"k": k, "ceiling": ceiling(len(kept), 1), "queries": len(rows)}
        return replace(of_terms(local, len(kept)), cautions=cautions, details=details)


def _local(parts: list[Part], k: int, rows: np.ndarray) -> np.ndarray:
    """(m,) terms."""
    if len(parts) == 2:
        around = neighbourhoods(parts, ((0,), (1,)), k, rows, ties=True)
        x, y = (psi(counts) for counts in around.counts)
        return psi(around.inside) + digamma(len(parts[0].codes)) - x - y
    around = neighbourhoods(parts, ((0, 2), (1, 2), (2,)), k, rows, ties=True)
    xz, yz, z = (psi(counts) for counts in around.counts)
    return psi(around.inside) + z - xz - yz
