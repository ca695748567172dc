"""What cross-fitted critics say of a sample, put into numbers that are kept apart.

- The held-out value: InfoNCE on rows that a critic was neither fitted to nor chosen by, over all candidates of a group.
  Its expectation is at most I, whatever the critic is.
- The training value: the same on rows that it was fitted to, too large by about as much as the held-out value is too
  small (as in Akaike's criterion: where the model is well specified, the two lie either side of the truth, equally far to
  first order).
- The point estimate: the middle of the two. It is closer, and it is no bound.

The standard error adds to that of the rows the uncertainty of the middle, as if the truth lay anywhere between the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from infomax.estimators.critic.held_out import Terms
from infomax.estimators.estimate import Caution
from infomax.estimators.estimator import Measured

LARGE_GAP = 0.3  # of the training value over the held-out one, in nats


@dataclass(frozen=True)
class CrossFit:
    """The critics of all folds, read.

    Attributes:
        report: on the untouched rows, in the order of the sample: each row once.
        training: on rows that the critics were fitted to.
        choice: on the rows that they were chosen by, fold after fold.
        steps: of each fold, the training step that was kept; 0 is the baseline alone.
        baseline: mean Gaussian value of the baselines, in nats.
    """

    report: Terms
    training: Terms
    choice: Terms
    steps: tuple[int, ...]
    baseline: float

    @property
    def nats(self) -> float:
        """The point estimate, which is no bound."""
        return (self.report.nats + self.training.nats) / 2

    @property
    def standard_error(self) -> float:
        """Of the point estimate: of the rows, and of where the truth lies between the two values."""
        half_gap = (self.training.nats - self.report.nats) / 2
        return float(np.sqrt(self.report.standard_error**2 + half_gap**2))

    def measured(self) -> Measured:
        """The point estimate, with the held-out value and its ceiling in the details."""
        details = {
            "held_out": self.report.nats,
            "held_out_standard_error": self.report.standard_error,
            "training": self.training.nats,
            "ceiling": self.report.ceiling,
            "baseline": self.baseline,
            "steps": list(self.steps),
        }
        local = self.report.local
        return Measured(self.nats, self.standard_error, local, self._cautions(), details=details)

    def _cautions(self) -> tuple[Caution, ...]:
        found = []
        gap = self.training.nats - self.report.nats
        if gap > LARGE_GAP:
            text = (
                f"The critics score {gap:.2f} nats better on the rows they were fitted to than on others: more rows "
                "would tell more, and the point estimate is uncertain by about half of that."
            )
            found.append(Caution("train-test gap", text))
        if self.report.nats > self.report.ceiling - log(4):
            text = (
                f"The held-out value is close to its ceiling, the log of the candidates, {self.report.ceiling:.2f} nats: "
                "the truth may be larger."
            )
            found.append(Caution("ceiling", text))
        return tuple(found)
