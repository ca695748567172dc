"""The Gaussian copula and canonical correlations: mutual information from correlations, in closed form.

Both read x and y as Gaussian: the copula after normal scores of each column, so up to increasing maps of the columns;
the canonical correlations as they come, so up to linear maps of each side. Where the reading is right, no method is
more exact, at any strength of dependence. Where it is wrong the number may be too small or too large: the correlations
of two variables that are not jointly Gaussian bound their mutual information from neither side.

The log-determinant of a sample covariance is biased: E log det S = log det Σ + Σ_i ψ((m + 1 - i)/2) + const for m
degrees of freedom (Wishart); what is left of it in the plug-in value is taken off. Ranks bend each column a little, which
looks like noise and costs information where columns of a side nearly determine each other; what a value on half of the
pairs falls short of that on all is added, and counted as an error. The standard error is that of the per-pair log
density ratios, which are the influences of the estimate (through normal scores too, Klaassen & Wellner 1997), and of
the chi-squared law with d_x d_y degrees of freedom that remains when they vanish.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import log

import numpy as np
from scipy.special import psi

from infomax.data.samples import Sample
from infomax.errors import InputError
from infomax.estimators.canonical import CanonicalPairs, gaussian_log_ratio, gaussian_nats
from infomax.estimators.estimate import Caution
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.normal_scores import normal_scores

HALVINGS = 4  # of the pairs, for the bias of ranks
NEAR_CEILING = log(4.0)  # nats


class GaussianCopula(Estimator):
    """Mutual information if x and y were jointly Gaussian after normal scores of each column.

    Exact in the limit for a Gaussian copula, whatever the columns' own laws; conditional on `given` through partial
    correlations. Discrete columns are read as numbers, which makes sense for ordered levels only.

    Args:
        correct_bias: take off the bias of the log-determinants, and that of ranks as far as half of the pairs show it (a
            jackknife over the same few random halves for every sample of a size).

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=2000)
    >>> y = 0.6 * x + 0.8 * rng.normal(size=2000)
    >>> bool(abs(GaussianCopula().estimate(np.exp(x), y**3).nats - 0.2231) < 0.04)
    True
    """

    citation = "Ince et al. 2017, Human Brain Mapping 38:1541 (Gaussian-copula mutual information)"

    def __init__(self, correct_bias: bool = True) -> None:
        self.correct_bias = correct_bias

    @property
    def title(self) -> str:
        return "Gaussian copula" + (", bias-corrected" if self.correct_bias else "")

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:  # noqa: ARG002
        measured = self._ranked(sample, wishart=self.correct_bias)
        if self.correct_bias and np.isfinite(measured.nats) and len(sample) // 2 >= _rows_needed(sample):
            measured = self._corrected(measured, sample)
        return replace(measured, cautions=(*measured.cautions, *_ceiling_caution(sample, measured.nats)))

    def _corrected(self, measured: Measured, sample: Sample) -> Measured:
        """With what ranks cost, unless a half of the pairs is deterministic."""
        ahead = measured.nats - float(np.mean([self._ranked(half, wishart=True).nats for half in _halves(sample)]))
        if not np.isfinite(ahead):
            return measured
        error = float(np.hypot(measured.standard_error or 0.0, ahead))
        return replace(measured, nats=measured.nats + ahead, standard_error=error)

    def tester(self, sample: Sample) -> Estimator:  # noqa: ARG002
        return GaussianCopula(correct_bias=False)  # shuffling changes no bias

    def _ranked(self, sample: Sample, wishart: bool) -> Measured:
        pairs, u, v = _canonical(sample, ranked=True)
        bias = wishart_bias(pairs.x_rank, pairs.y_rank, pairs.n) if wishart else 0.0
        return _measured(u, v, pairs.rho, bias, pairs.x_rank * pairs.y_rank)


class CanonicalCorrelations(Estimator):
    """Mutual information of the canonical correlations, as if x and y were jointly Gaussian.

    With `shrink`, correlations below the edge of what independent sides of these dimensions show are left out, and the
    others are shrunk to what they estimate: many columns then add no noise.

    Args:
        shrink: leave out and shrink; False takes the sample correlations as they are, biased upwards by about
            d_x d_y / 2n.
        normal_scores: of each column first.
    """

    citation = "Hotelling 1936; shrinkage by Bao, Hu, Pan & Zhou 2019, Annals of Statistics 47:612"

    def __init__(self, shrink: bool = True, normal_scores: bool = False) -> None:
        self.shrink = shrink
        self.normal_scores = normal_scores

    @property
    def title(self) -> str:
        return (
            "canonical correlations"
            + (", shrunk" if self.shrink else "")
            + (" of normal scores" if self.normal_scores else "")
        )

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:  # noqa: ARG002
        pairs, u, v = _canonical(sample, ranked=self.normal_scores)
        rho = pairs.unbiased() if self.shrink else pairs.rho
        kept = len(rho)
        return _measured(
            u[:, :kept], v[:, :kept], rho, 0.0, pairs.x_rank * pairs.y_rank, {"correlations": rho.tolist()}
        )


def wishart_bias(x_rank: int, y_rank: int, freedom: int) -> float:
    """By how much the plug-in Gaussian mutual information is too large on average, in nats.

    >>> round(wishart_bias(1, 1, 99), 4)  # about x_rank * y_rank / 2n
    0.0051
    """

    def half(d: int) -> float:
        return float(0.5 * psi((freedom - np.arange(d)) / 2).sum())

    return half(x_rank) + half(y_rank) - half(x_rank + y_rank)


def _rows_needed(sample: Sample) -> int:
    return sum(side.values.shape[1] for side in (sample.x, sample.y, sample.z) if side is not None) + 2


def _ceiling_caution(sample: Sample, nats: float) -> Iterator[Caution]:
    """Of one column a side: where noise is about as small as the gaps between values, ranks do not show how small."""
    most = float(np.log(len(sample)))
    if sample.x.values.shape[1] == sample.y.values.shape[1] == 1 and most - NEAR_CEILING < nats < np.inf:
        text = (
            f"The ranks of {len(sample):,} rows hardly resolve more than log n = {most:.2f} nats between two columns: the truth "
            "may be anything above."
        )
        yield Caution("ceiling", text)


def _halves(sample: Sample) -> Iterator[Sample]:
    """Both halves of a few random cuts, the same ones for every sample of this size."""
    rng, size = np.random.default_rng(0), len(sample) // 2
    for _ in range(HALVINGS):
        order = rng.permutation(len(sample))
        yield from (sample.rows(np.sort(rows)) for rows in (order[:size], order[-size:]))


def _canonical(sample: Sample, ranked: bool) -> tuple[CanonicalPairs, np.ndarray, np.ndarray]:
    """The canonical pairs of x and y, of their residuals on z where it is given, and the variates of the sample."""
    values = [side.values for side in (sample.x, sample.y, sample.z) if side is not None]
    needed = _rows_needed(sample)
    if len(sample) < needed:
        raise InputError(
            f"correlations of {needed - 2} columns in all need at least {needed} rows; got {len(sample)}. "
            "Use fewer columns or more rows."
        )
    x, y, *given = [normal_scores(side) for side in values] if ranked else values
    conditioned = 0
    if given:
        z = given[0] - given[0].mean(0)
        basis, spread, _ = np.linalg.svd(z, full_matrices=False)
        basis = basis[:, spread > spread.max(initial=0.0) * len(z) * np.finfo(float).eps]
        x, y = (side - side.mean(0) - basis @ (basis.T @ side) for side in (x, y))
        conditioned = basis.shape[1]
    pairs = CanonicalPairs.fit(x, y, conditioned=conditioned)
    return pairs, *pairs.variates(x, y)


def _measured(
    u: np.ndarray, v: np.ndarray, rho: np.ndarray, bias: float, cells: int, details: dict[str, object] | None = None
) -> Measured:
    nats = gaussian_nats(rho)
    if nats == float("inf"):
        text = "A direction of x determines a direction of y up to rounding: the Gaussian reading is infinite."
        return Measured(nats, cautions=(Caution("deterministic", text),), details=details or {})
    local = gaussian_log_ratio(u, v, rho)
    n = len(local)
    spread = max(local.var() - cells / n, 0.0)  # the fit to the sample adds cells / n to the variance
    error = float(np.sqrt(spread / n + cells / (2 * n * n)))
    return Measured(nats - bias, standard_error=error, local=local, details=details or {})
