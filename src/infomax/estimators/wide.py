"""Continuous sides of several columns: the constant, the Gaussian copula or the neural critic, by one held-out score.

Each contender is a log density ratio fitted to some rows and scored by InfoNCE on others, with the same candidates for
all. The simplest stands unless a richer one is better by more than two standard errors of the difference; so independent
sides give 0, Gaussian ones the closed form, which is more exact than any network, and others the critic. The rows that
contenders are compared on are not the rows that the critic reports on.

A copula that stands may be wrong all the same, in a way that so few rows do not teach a network. Bent regressions show it:
then what they explain is added, and counted as an error, see `curvature`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from infomax.data.samples import Sample
from infomax.estimators.constant import Constant
from infomax.estimators.critic.critic import Critic
from infomax.estimators.critic.folds import three_way_folds
from infomax.estimators.critic.held_out import Terms, constant_terms, copula_terms
from infomax.estimators.curvature import Curvature
from infomax.estimators.estimate import Caution, Contender
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.gaussian import GaussianCopula
from infomax.estimators.neighbours import KSG
from infomax.estimators.normal_scores import normal_scores

ROWS_FOR_CRITIC = 500
ROWS_FOR_COPULA = 4  # a column
BENT = 0.01  # p-value from which a regression is taken to be
MARGIN = 2.0  # standard errors by which a richer contender has to be better


@dataclass(frozen=True)
class _Candidate:
    """A method, its measure, and its held-out terms on the rows that choose."""

    method: Estimator
    measured: Measured
    terms: Terms


def measure_wide(sample: Sample, critic: Critic, rng: np.random.Generator) -> Measured:
    """The best contender's measure, with all contenders and their scores in its `contenders`."""
    n, columns = len(sample), sample.x.values.shape[1] + sample.y.values.shape[1]
    if n < ROWS_FOR_COPULA * columns:
        nearest = KSG()
        return _told(nearest.measure(sample, rng), nearest.title, nearest.citation, ())
    kept = critic.subset(sample, rng)
    candidates = _candidates(sample, kept, critic, rng)
    best = _best(candidates)
    contenders = tuple(
        Contender(c.method.title, c.measured.nats, c.terms.nats, c is best)
        for c in sorted(candidates, key=lambda c: (c is not best, -c.terms.nats))
    )
    measured = best.measured
    if isinstance(best.method, Constant):
        copula = candidates[1].measured
        error = float(np.hypot(copula.nats, copula.standard_error or 0.0))
        measured = replace(measured, standard_error=error, local=copula.local)
    if isinstance(best.method, GaussianCopula):
        measured = _bent(measured, kept)
    return _told(measured, best.method.title, best.method.citation, contenders)


def _bent(measured: Measured, sample: Sample) -> Measured:
    """The copula's measure, with what bent regressions add."""
    if not np.isfinite(measured.nats):
        return measured
    curvature = Curvature.of(normal_scores(sample.x.values), normal_scores(sample.y.values))
    if curvature.p_value > BENT:
        return measured
    text = (
        f"The Gaussian copula was chosen, but regressions of x on y or of y on x are bent (p = {curvature.p_value:.1g}): "
        f"{curvature.nats:.3f} nats that they explain were added, and the error is at least as large."
    )
    return replace(
        measured,
        nats=measured.nats + curvature.nats,
        standard_error=float(np.hypot(measured.standard_error or 0.0, curvature.nats)),
        cautions=(*measured.cautions, Caution("bent regressions", text)),
        details={**measured.details, "copula": measured.nats, "bent_regressions": curvature.nats},
    )


def _candidates(sample: Sample, kept: Sample, critic: Critic, rng: np.random.Generator) -> list[_Candidate]:
    """From the simplest to the richest, compared on rows that are `kept`; the critic only where there are rows for it."""
    copula = GaussianCopula()
    richest = []
    if len(sample) >= ROWS_FOR_CRITIC:
        folds = critic.split(kept, rng)
        fitted = critic.cross_fit(kept, folds, rng)
        richest = [_Candidate(critic, fitted.measured(), fitted.choice)]
        scored = [fold.choose for fold in folds]
    else:
        folds = three_way_folds(len(kept), critic.folds, 0.0, rng)
        scored = [fold.report for fold in folds]
    parts = list(zip([fold.fit for fold in folds], scored, strict=True))
    by_copula = [
        Terms.joined(list(terms)) for terms in zip(*(copula_terms(kept, *part) for part in parts), strict=True)
    ]
    return [
        _Candidate(Constant(), Constant().measure(sample, rng), constant_terms([len(rows) for _, rows in parts])),
        _Candidate(copula, copula.measure(sample, rng), max(by_copula, key=lambda terms: terms.nats)),
        *richest,
    ]


def _best(candidates: list[_Candidate]) -> _Candidate:
    best = candidates[0]
    for richer in candidates[1:]:
        gain = richer.terms.influence - best.terms.influence
        if gain.mean() > MARGIN * gain.std() / np.sqrt(len(gain)):
            best = richer
    return best


def _told(measured: Measured, title: str, citation: str, contenders: tuple[Contender, ...]) -> Measured:
    contenders = contenders or (Contender(title, measured.nats, None, True),)
    return replace(measured, method=title, citation=citation, contenders=contenders)
