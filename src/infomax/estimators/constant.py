"""The constant critic: it tells true pairs from chance pairs not at all, and so claims no information."""

from __future__ import annotations

import numpy as np

from infomax.data.samples import Sample
from infomax.estimators.estimator import Estimator, Measured


class Constant(Estimator):
    """0 nats, whatever the sample: what every other method has to beat on pairs that it was not fitted to.

    >>> Constant().estimate([1.0, 2.0, 3.0], [0.5, 0.1, 0.7]).nats
    0.0
    """

    citation = "none needed: the log density ratio of independent variables is 0"

    @property
    def title(self) -> str:
        return "constant"

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:  # noqa: ARG002
        return Measured(0.0, standard_error=0.0, local=np.zeros(len(sample)))
