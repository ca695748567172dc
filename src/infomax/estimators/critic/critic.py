"""`Critic`: mutual information from networks that tell true pairs from chance pairs, each row read by one that never saw it."""

from __future__ import annotations

import numpy as np

from infomax.data.samples import Sample
from infomax.errors import InputError
from infomax.estimators.critic.folds import Fold, three_way_folds
from infomax.estimators.critic.reading import CrossFit
from infomax.estimators.dependence import Dependence
from infomax.estimators.estimator import Estimator, Measured

FEWEST_ROWS = 200
CHOICE_ROWS, CHOICE_SHARES = 300, (0.1, 0.25)  # rows to choose by, within these shares of those beside the reported
HIDDEN, CODE = 128, 64  # widths of the side networks, which cost one pass a row


class Critic(Estimator):
    """Mutual information of x and y, of any kinds and dimensions, from cross-fitted neural critics.

    The networks start from a Gaussian copula of each side's normal scores and log norms, and correct it. The estimate is
    no bound; `details["held_out"]` is InfoNCE on untouched rows, whose expectation is at most the mutual information and
    the log of its candidates (`details["ceiling"]`).

    Args:
        folds: each row is reported on by a critic that has not seen it; more folds leave more rows to fit to.
        steps: of training, at most; it stops where the choice rows see no more progress.
        batch: rows a step.
        negatives: chance pairs a row.
        width: of the two layers that see pairs.
        learning_rate, weight_decay: of AdamW.
        rows: from more pairs than this a random subset is taken.
    """

    citation = (
        "van den Oord, Li & Vinyals 2018, arXiv:1807.03748 (InfoNCE); Gutmann & Hyvärinen 2012, JMLR 13:307 (training)"
    )

    def __init__(
        self,
        folds: int = 5,
        steps: int = 800,
        batch: int = 252,
        negatives: int = 8,
        width: int = 32,
        learning_rate: float = 1e-2,
        weight_decay: float = 0.5,
        rows: int = 40_000,
    ) -> None:
        self.folds = folds
        self.steps = steps
        self.batch = batch
        self.negatives = negatives
        self.width = width
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.rows = rows

    @property
    def title(self) -> str:
        return f"neural critic, {self.folds} folds"

    def tester(self, sample: Sample) -> Estimator:  # noqa: ARG002
        return Dependence()

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:
        """See the class. Raises InputError for fewer than 200 rows, or where something is given."""
        self._check()
        kept = self.subset(sample, rng)
        return self.cross_fit(kept, self.split(kept, rng), rng).measured()

    def _check(self) -> None:
        least = {"steps": 1, "batch": 2, "negatives": 1, "width": 1, "rows": FEWEST_ROWS}
        for name, fewest in least.items():
            if not isinstance(value := getattr(self, name), int | np.integer) or value < fewest:
                raise InputError(f"{name} must be a whole number, at least {fewest}; got {value!r}.")
        if not (isinstance(self.learning_rate, int | float) and self.learning_rate > 0):
            raise InputError(f"learning_rate must be a number above 0; got {self.learning_rate!r}.")
        if not (isinstance(self.weight_decay, int | float) and self.weight_decay >= 0):
            raise InputError(f"weight_decay must be a number, 0 or more; got {self.weight_decay!r}.")

    def subset(self, sample: Sample, rng: np.random.Generator) -> Sample:
        """At most `rows` of the pairs, drawn at random and left in order."""
        if len(sample) <= self.rows:
            return sample
        return sample.rows(np.sort(rng.choice(len(sample), self.rows, replace=False)))

    def split(self, sample: Sample, rng: np.random.Generator) -> list[Fold]:
        """Three-way splits of the sample."""
        if self.folds < 2:
            raise InputError(f"folds must be 2 or more, as rows are reported on by turns; got {self.folds!r}.")
        if len(sample) < FEWEST_ROWS:
            raise InputError(
                f"the neural critic needs at least {FEWEST_ROWS} pairs to fit to, to choose by and to report on; got "
                f"{len(sample)}. Use method='auto', which falls back on cheaper methods."
            )
        rest = len(sample) * (1 - 1 / self.folds)
        return three_way_folds(len(sample), self.folds, float(np.clip(CHOICE_ROWS / rest, *CHOICE_SHARES)), rng)

    def cross_fit(self, sample: Sample, folds: list[Fold], rng: np.random.Generator) -> CrossFit:
        """The critics of these folds, fitted and read."""
        from infomax.estimators.critic.cross_fit import cross_fit
        from infomax.estimators.critic.training import Schedule

        if sample.z is not None:
            raise InputError(
                "the neural critic has no conditional form: use method='ksg', 'mixed', 'copula' or 'auto' with given."
            )
        schedule = Schedule(self.steps, self.batch, self.negatives, self.learning_rate, self.weight_decay)
        return cross_fit(sample, folds, schedule, (HIDDEN, CODE, self.width), rng)
