"""Mutual information of anything with anything: continuous, discrete, point masses, ties, columns of each kind.

As KSG where neighbours lie apart. Where a ball is tied (several pairs at the k-th distance, as in a point mass, whose
radius is 0), all of its t_i pairs are counted, and so are all points in its projections (Gao et al. 2017, algorithm 1;
with a z of any kind Mesner & Shalizi 2019, algorithm 1):

    I = < ψ(t_i) + ψ(n) - ψ(n_x,i) - ψ(n_y,i) >,      given z:  < ψ(t_i) + ψ(n_z,i) - ψ(n_xz,i) - ψ(n_yz,i) >

n counting the row itself. On untied continuous data this is KSG 1, with one discrete side it is Ross, and on discrete
data it is the plug-in value with the Miller-Madow correction up to O(1/n²), since ψ(t) ≈ log t - 1/2t. The papers write
log for some of the ψ and take levels for numbers; here different levels are never neighbours.

Counting is right for point masses and far too high for rounded values, where balls hold a few pairs of many cells (0.33
nats for independent normals rounded to 0.1, n = 1,000). So values that occur fewer than √(10 n) times take the ranks of
their ties at random: rounded data become continuous, and their information stays what it is.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import digamma

from infomax.data.samples import Sample, Variable
from infomax.errors import InputError
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.neighbours.cautions import ceiling, nothing_to_tell
from infomax.estimators.neighbours.neighbourhoods import Part, neighbourhoods, psi
from infomax.estimators.neighbours.settings import checked_k, chosen_rows, of_terms, parts_of
from infomax.estimators.neighbours.strata import with_neighbours
from infomax.estimators.normal_scores import heavy

DRAWS = 5


class MixedKSG(Estimator):
    """Mutual information of variables of any kind, conditional on one of any kind (Gao et al. 2017; Mesner & Shalizi 2019).

    Rows that are alone in their combination of discrete levels, with continuous columns beside, have no neighbour: they are
    left out, and counted in a caution.

    Args:
        k: neighbours.
        scale: of each continuous column, as in `KSG`.
        ties: "spread" the lightly tied values over their ranks at random, the mean of five draws (needs normal
            scores); or "count" them all, as the papers do.
        queries: as in `KSG`.

    >>> rng = np.random.default_rng(0)
    >>> x = np.maximum(rng.normal(size=2000), 0.0)  # half of it a point mass
    >>> found = MixedKSG().estimate(x, rng.normal(size=2000))
    >>> bool(abs(found.nats) < 0.05)
    True
    """

    citation = "Gao, Kannan, Oh & Viswanath 2017, NeurIPS; Mesner & Shalizi 2019, IEEE Trans. Information Theory 67:464"

    def __init__(
        self, k: int = 3, scale: str = "normal scores", ties: str = "spread", queries: int | None = None
    ) -> None:
        self.k = k
        self.scale = scale
        self.ties = ties
        self.queries = queries

    @property
    def title(self) -> str:
        return f"mixed KSG, k = {self.k}"

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:
        """See the module. Raises InputError for too few rows, or where no two rows share their discrete levels."""
        k = checked_k(self.k, len(sample))
        if (nothing := nothing_to_tell(sample)) is not None:
            return nothing
        if self.ties not in ("spread", "count") or (self.ties == "spread" and self.scale != "normal scores"):
            raise InputError(
                f"ties must be 'spread' (over their ranks, so with scale='normal scores') or 'count'; got {self.ties!r} with "
                f"scale={self.scale!r}."
            )
        kept, cautions = with_neighbours(sample)
        rows = chosen_rows(self.queries, len(kept), rng)
        spread = self.ties == "spread" and any(_lightly_tied(side) for side in (kept.x, kept.y, kept.z) if side)
        draws = [parts_of(kept, self.scale, rng) for _ in range(DRAWS)] if spread else [parts_of(kept, self.scale)]
        local = np.mean([_local(parts, k, rows) for parts in draws], axis=0)
        details = {"k": k, "ceiling": ceiling(len(kept), 1), "queries": len(rows)}
        return replace(of_terms(local, len(kept)), cautions=cautions, details=details)


def _lightly_tied(side: Variable) -> bool:
    """Whether a continuous column repeats values, but not often."""
    counts = [np.unique(column, return_counts=True)[1] for column in side.values[:, ~side.discrete].T]
    return any(bool(((each > 1) & (each < heavy(len(side)))).any()) for each in counts)


def _local(parts: list[Part], k: int, rows: np.ndarray) -> np.ndarray:
    """(m,) terms."""
    if len(parts) == 2:
        around = neighbourhoods(parts, ((0,), (1,)), k, rows, ties=True)
        x, y = (psi(counts) for counts in around.counts)
        return psi(around.inside) + digamma(len(parts[0].codes)) - x - y
    around = neighbourhoods(parts, ((0, 2), (1, 2), (2,)), k, rows, ties=True)
    xz, yz, z = (psi(counts) for counts in around.counts)
    return psi(around.inside) + z - xz - yz
