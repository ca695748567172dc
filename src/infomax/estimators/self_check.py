"""`self_check`: what each method says of a dependence that is known, planted in the user's own columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from html import escape
from math import nan
from typing import Any

import numpy as np

from infomax.data.plain import plain
from infomax.data.samples import Sample
from infomax.data.variables import sample as observed_sample
from infomax.errors import InputError
from infomax.estimators.constant_columns import without_constants
from infomax.estimators.estimator import Estimator
from infomax.estimators.planted import Planting, plant, planting
from infomax.estimators.random_state import generator
from infomax.estimators.select import estimator_of

PLANTED = (0.0, 0.1, 1.0)
REPEATS = 3


@dataclass(frozen=True)
class Trial:
    """What one method said of one planted dependence.

    Attributes:
        method: in words.
        planted: the truth, in nats.
        nats: the mean of its estimates over the repeats; NaN where it refused.
        spread: their standard deviation.
        refused: why the method is not defined on these columns, or None.
    """

    method: str
    planted: float
    nats: float
    spread: float
    refused: str | None = None

    @property
    def error(self) -> float:
        """Estimate minus truth, in nats."""
        return self.nats - self.planted


@dataclass(frozen=True)
class SelfCheck:
    """Trials of each method at each planted dependence, on n pairs."""

    n: int
    repeats: int
    trials: tuple[Trial, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        return plain(asdict(self) | {"trials": [asdict(trial) | {"error": trial.error} for trial in self.trials]})

    def __str__(self) -> str:
        planted = sorted({trial.planted for trial in self.trials})
        methods = list(dict.fromkeys(trial.method for trial in self.trials))
        width = max(len(method) for method in [*methods, "nats planted"])
        head = f"Dependence planted in your own columns, {self.n:,} pairs, mean of {self.repeats} draws:"
        lines = [head, "nats planted".ljust(width) + "".join(f"{nats:16.3f}" for nats in planted)]
        for method in methods:
            own = [trial for trial in self.trials if trial.method == method]
            if own[0].refused:
                lines.append(f"{method.ljust(width)}  not defined on these columns")
                continue
            cells = "".join(f"{f'{trial.nats:.3f} ± {trial.spread:.3f}':>16}" for trial in own)
            lines.append(method.ljust(width) + cells)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"


def self_check(x: Any, y: Any, *, methods: Sequence[Any] | None = None, random_state: Any = None) -> SelfCheck:
    """Plant 0, 0.1 and 1 nat between the user's own x and y, and show what each method returns.

    The rows of x and of y stay as they are and are paired anew (see `planted.py`), so tails, ties, shapes and n are the
    user's; where the columns cannot hold 1 nat (a binary side holds 0.69 at most) as much as fits comfortably is planted.

    Args:
        x, y: (n,) or (n, d) arrays, series or data frames.
        methods: estimators, or their names as in `estimate`; None takes those of this room that need no training.
        random_state: None, an int, or a numpy generator.

    Raises:
        InputError: input that cannot be right, a side that is constant, or no method.
    """
    sample, _ = without_constants(observed_sample(x, y))
    if sample is None:
        raise InputError("x or y is constant: no dependence can be planted in it.")
    if isinstance(methods, str | Estimator):
        methods = [methods]
    methods = _quick_methods() if methods is None else [estimator_of(method) for method in methods]
    if not methods:
        raise InputError("methods is empty: give estimators, such as [KSG()], or None for the usual ones.")
    rng = generator(random_state)
    plantings = {found.nats: found for found in (planting(sample, nats) for nats in PLANTED)}
    trials = [_trial(method, sample, found, rng) for method in methods for found in plantings.values()]
    return SelfCheck(len(sample), REPEATS, tuple(trials))


def _quick_methods() -> list[Estimator]:
    from infomax.estimators.discrete import Discrete
    from infomax.estimators.gaussian import CanonicalCorrelations, GaussianCopula
    from infomax.estimators.neighbours import KSG, MixedKSG, Ross

    return [Discrete(), KSG(), Ross(), MixedKSG(), GaussianCopula(), CanonicalCorrelations()]


def _trial(method: Estimator, sample: Sample, found: Planting, rng: np.random.Generator) -> Trial:
    try:
        values = [method.measure(plant(sample, found.rho, rng), rng).nats for _ in range(REPEATS)]
    except InputError as error:
        return Trial(method.title, found.nats, nan, nan, str(error))
    return Trial(method.title, found.nats, float(np.mean(values)), float(np.std(values, ddof=1)))
