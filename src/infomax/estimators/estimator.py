"""`Estimator`: samples in, `Estimate` out. A new method writes `measure`, and has the rest for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from infomax.data.samples import Sample
from infomax.estimators.estimate import Caution, Contender, Estimate


@dataclass(frozen=True)
class Measured:
    """What one method says of one sample, before intervals and tests.

    Attributes:
        nats: the point estimate.
        standard_error: by the method's own theory; None leaves the interval to subsampling.
        local: (n,) per-pair terms whose mean is `nats` (up to a bias correction), where the method has them.
        cautions: the method's own warnings; one of kind "ceiling" leaves the interval without an upper end.
        contenders: what was considered, for a method that chooses.
        details: further numbers by name.
        method: in words, where it depends on the data; None takes the estimator's `title`.
        citation: likewise; None takes the estimator's.
    """

    nats: float
    standard_error: float | None = None
    local: np.ndarray | None = None
    cautions: tuple[Caution, ...] = ()
    contenders: tuple[Contender, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None
    citation: str | None = None


class Estimator(BaseEstimator, ABC):
    """A method with its settings as constructor arguments (`get_params` and `set_params` are scikit-learn's).

    A subclass stores its arguments unchanged, sets `citation`, and writes `title` and `measure`.
    """

    citation: str = ""

    @property
    @abstractmethod
    def title(self) -> str:
        """The method with its settings in words, such as "KSG 1, k = 3"."""

    @abstractmethod
    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:
        """The method itself, on a checked sample. Raises InputError for a sample it is not defined on."""

    def tester(self, sample: Sample) -> Estimator:  # noqa: ARG002
        """Whose number a permutation test shuffles: its own, unless that would cost too much."""
        return self

    def estimate(
        self,
        x: Any,
        y: Any,
        *,
        given: Any = None,
        level: float | None = 0.95,
        permutations: int = 0,
        block: int = 1,
        random_state: Any = None,
    ) -> Estimate:
        """The mutual information of x and y, in nats (conditional on `given`, where the method can).

        Args:
            x, y: (n,) or (n, d) arrays, series or data frames (numpy, pandas, polars, pyarrow, torch).
            given: likewise; what to condition on.
            level: of the interval; None for none.
            permutations: how many shuffles of y the p-value rests on; 0 for no p-value.
            block: length of the blocks that intervals and permutations keep together, for time series.
            random_state: None, an int, or a numpy generator.

        Raises:
            InputError: input that cannot be right, or that this method is not defined on.
        """
        from infomax.estimators.inference import estimate_with

        return estimate_with(
            self, x, y, given=given, level=level, permutations=permutations, block=block, random_state=random_state
        )
