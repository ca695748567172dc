"""Mutual information of discrete variables from their contingency table."""

from __future__ import annotations

from collections.abc import Callable
from math import log

import numpy as np

from infomax.data.samples import Sample
from infomax.errors import InputError
from infomax.estimators.estimate import Limit
from infomax.estimators.estimator import Estimator, Measured
from infomax.information import mutual_information_from_counts


class Discrete(Estimator):
    """Mutual information of discrete x and y, conditional on a discrete z where one is given.

    Args:
        correction: of the bias of counting: "adjusted" for chance, or the name of an entropy estimator of
            `infomax.information`, such as "plug_in", "miller_madow" or "chao_wang_jost".
    """

    citation = "Vinh, Epps & Bailey 2010, JMLR 11:2837"

    def __init__(self, correction: str | Callable[..., float] = "adjusted") -> None:
        self.correction = correction

    @property
    def title(self) -> str:
        name = self.correction if isinstance(self.correction, str) else self.correction.__name__
        return f"contingency table, {name.replace('_', '-')}"

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:  # noqa: ARG002
        sides = [side for side in (sample.x, sample.y, sample.z) if side is not None]
        if any(side.kind != "discrete" for side in sides):
            raise InputError(
                "the discrete estimator counts levels, but there are continuous columns: use the nearest-neighbour"
                " estimators or method='auto', or bin the columns yourself."
            )
        x, y, *given = (side.codes() for side in sides)
        strata = given[0] if given else np.zeros(len(sample), dtype=np.int64)
        local, nats = np.zeros(len(sample)), 0.0
        for stratum in np.unique(strata):
            rows = np.flatnonzero(strata == stratum)
            table, local[rows] = _table_and_local(x[rows], y[rows])
            nats += len(rows) / len(sample) * mutual_information_from_counts(table, self.correction)
        most = min(len(np.unique(x)), len(np.unique(y)))
        upper = Limit(log(most), 1.0, "both sides have no levels beyond those seen")
        return Measured(nats=nats, standard_error=float(local.std() / np.sqrt(len(local))), local=local, upper=upper)


def _table_and_local(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The contingency table of two coded columns, and each pair's plug-in log ratio."""
    x, y = (np.unique(side, return_inverse=True)[1].reshape(-1) for side in (x, y))
    shape = int(x.max()) + 1, int(y.max()) + 1
    table = np.bincount(x * shape[1] + y, minlength=shape[0] * shape[1]).reshape(shape)
    chance = table.sum(1)[x] * table.sum(0)[y]
    return table, np.log(table[x, y] * len(x) / chance)
