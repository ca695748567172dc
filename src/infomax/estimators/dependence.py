"""What permutation tests of wide sides shuffle: a cheap sign of dependence, in place of an estimator that trains networks.

A permutation test is exact whatever its statistic, so it need not be the estimate: this one is the Gaussian copula's nats,
which see many weak linear ties, plus those of nearest neighbours around some rows, which see what is not linear.
"""

from __future__ import annotations

import numpy as np

from infomax.data.samples import Sample
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.gaussian import GaussianCopula
from infomax.estimators.neighbours import MixedKSG

ROWS_A_COLUMN = 4  # below, the copula's correlations are too many for the rows


class Dependence(Estimator):
    """A statistic for tests, in nats but no estimate of the information.

    Args:
        queries: rows around which neighbours are looked for.
    """

    def __init__(self, queries: int = 500) -> None:
        self.queries = queries

    @property
    def title(self) -> str:
        return "Gaussian copula + mixed KSG"

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:
        few = MixedKSG(queries=min(self.queries, len(sample)))
        nats = few.measure(sample, rng).nats
        columns = sum(side.values.shape[1] for side in (sample.x, sample.y))
        if sample.x.kind == sample.y.kind == "continuous" and len(sample) >= ROWS_A_COLUMN * columns:
            nats += GaussianCopula(correct_bias=False).measure(sample, rng).nats
        return Measured(nats)
