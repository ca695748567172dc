"""KSG: mutual information of continuous variables from nearest neighbours, without a model of their density.

With ε_i the distance from pair i to its k-th neighbour (maximum norm over x and y), n_x,i the other points nearer than
ε_i in x, and n_y,i in y (Kraskov, Stögbauer & Grassberger 2004, equation 8):

    I = ψ(k) + ψ(n) - < ψ(n_x + 1) + ψ(n_y + 1) >

Variant 2 (equation 9) measures each side by its own reach, the largest distance in x and in y to any of the k neighbours:
I = ψ(k) - 1/k + ψ(n) - < ψ(n_x) + ψ(n_y) >, points on the boundary counted. Given continuous z (Frenzel & Pompe 2007):
I = ψ(k) - < ψ(n_xz + 1) + ψ(n_yz + 1) - ψ(n_z + 1) >; given discrete z the strata are measured one by one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import digamma

from infomax.data.samples import Sample
from infomax.errors import InputError
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.neighbours.balls import ball_counts, k_nearest
from infomax.estimators.neighbours.cautions import (
    ceiling,
    ceiling_caution,
    column_cautions,
    nothing_to_tell,
    scale_caution,
)
from infomax.estimators.neighbours.neighbourhoods import Part, neighbourhoods, psi
from infomax.estimators.neighbours.settings import checked_k, chosen_rows, of_terms, parts_of
from infomax.estimators.neighbours.strata import by_strata


class KSG(Estimator):
    """Mutual information of continuous x and y from k nearest neighbours (Kraskov, Stögbauer & Grassberger 2004).

    Never above ψ(n) - ψ(k), and too low for strong dependence and in high dimension: many rows cannot make up for
    neighbours that are far away. Refused where more than k pairs are equal, since a point mass has no density: use
    `MixedKSG`.

    Args:
        k: neighbours; more give less variance and more bias.
        variant: 1 or 2, of the paper.
        scale: of each column: "normal scores" (any increasing map of a column gives the same estimate), "standard" or
            "none".
        queries: look at the neighbourhoods of so many rows drawn at random, among all rows; None for those of all.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=1000)
    >>> y = 0.8 * x + 0.6 * rng.normal(size=1000)
    >>> bool(abs(KSG().estimate(x, y).nats + 0.5 * np.log(1 - 0.8**2)) < 0.1)
    True
    """

    citation = "Kraskov, Stögbauer & Grassberger 2004, Physical Review E 69:066138"

    def __init__(self, k: int = 3, variant: int = 1, scale: str = "normal scores", queries: int | None = None) -> None:
        self.k = k
        self.variant = variant
        self.scale = scale
        self.queries = queries

    @property
    def title(self) -> str:
        scale = {"none": "columns as they are", "standard": "standardised columns"}.get(self.scale, self.scale)
        return f"KSG {self.variant}, k = {self.k}, {scale}"

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:
        """See the module. Raises InputError for discrete columns, more than k equal pairs, or too few rows."""
        _refuse_discrete(sample)
        if self.variant not in (1, 2) or (self.variant == 2 and sample.z is not None):
            raise InputError(f"variant must be 1, or 2 where nothing is given; got {self.variant!r}.")
        if sample.z is not None and sample.z.kind == "discrete":
            return by_strata(self, sample, rng)
        n = len(sample)
        k = checked_k(self.k, n)
        parts, rows = parts_of(sample, self.scale), chosen_rows(self.queries, n, rng)
        if (nothing := nothing_to_tell(sample)) is not None:
            return nothing
        local, radius = self._local(parts, k, rows)
        _refuse_point_masses(radius, k)
        measured = of_terms(local, n)
        uneven = scale_caution(parts) if self.scale != "normal scores" else ()
        cautions = (*column_cautions(sample), *uneven, *ceiling_caution(measured.nats, n, k))
        return replace(measured, cautions=cautions, details={"k": k, "ceiling": ceiling(n, k), "queries": len(rows)})

    def _local(self, parts: list[Part], k: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m,) terms and joint radii."""
        n = len(parts[0].continuous)
        if len(parts) == 3:
            around = neighbourhoods(parts, ((0, 2), (1, 2), (2,)), k, rows)
            xz, yz, z = (psi(counts) for counts in around.counts)
            return digamma(k) - xz - yz + z, around.radius
        if self.variant == 2:
            return _own_reach(parts[0].continuous, parts[1].continuous, k, rows)
        around = neighbourhoods(parts, ((0,), (1,)), k, rows)
        x, y = (psi(counts) for counts in around.counts)
        return digamma(k) + digamma(n) - x - y, around.radius


def _own_reach(x: np.ndarray, y: np.ndarray, k: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Terms of variant 2: each side's reach is that of its farthest among the k neighbours."""
    nearest = k_nearest(np.column_stack([x, y]), k, rows)
    reach = [np.abs(side[nearest] - side[rows, None]).max((1, 2)) for side in (x, y)]
    counts = [ball_counts(side, radius, rows) - 1 for side, radius in zip((x, y), reach, strict=True)]
    local = digamma(k) - 1 / k + digamma(len(x)) - psi(counts[0]) - psi(counts[1])
    return local, np.maximum(*reach)


def _refuse_discrete(sample: Sample) -> None:
    for letter, side in (("x", sample.x), ("y", sample.y)):
        if side.kind != "continuous":
            raise InputError(
                f"KSG is defined on continuous columns, and {letter} has discrete ones: use Ross where one side is "
                "discrete and the other continuous, MixedKSG for anything mixed."
            )
    if sample.z is not None and sample.z.kind == "mixed":
        raise InputError("KSG takes a continuous or a discrete z, and this one has columns of both: use MixedKSG.")


def _refuse_point_masses(radius: np.ndarray, k: int) -> None:
    masses = int(np.count_nonzero(radius == 0))
    if masses:
        raise InputError(
            f"KSG is defined on continuous columns, and {masses:,} of {len(radius):,} rows have {k} others equal to them "
            "on this scale: point masses. Use MixedKSG (the method `mixed`), which counts them, or drop rows that are copies."
        )
