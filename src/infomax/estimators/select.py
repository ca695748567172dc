"""`estimate`: one call from two arrays to an `Estimate`, by the method that is named or that the data call for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infomax.data.variables import sample
from infomax.errors import InputError
from infomax.estimators.auto import Auto
from infomax.estimators.constant import Constant
from infomax.estimators.critic import Critic
from infomax.estimators.discrete import Discrete
from infomax.estimators.estimate import Estimate
from infomax.estimators.estimator import Estimator
from infomax.estimators.gaussian import CanonicalCorrelations, GaussianCopula
from infomax.estimators.inference import estimate_sample
from infomax.estimators.neighbours import KSG, MixedKSG, Ross

METHODS: dict[str, Callable[[], Estimator]] = {
    "auto": Auto,
    "discrete": Discrete,
    "ksg": KSG,
    "ross": Ross,
    "mixed": MixedKSG,
    "copula": GaussianCopula,
    "cca": CanonicalCorrelations,
    "critic": Critic,
    "constant": Constant,
}


def estimate(
    x: Any,
    y: Any,
    *,
    given: Any = None,
    method: Any = "auto",
    level: float | None = 0.95,
    permutations: int = 0,
    block: int = 1,
    random_state: Any = None,
    n_jobs: int = 1,
    delta: float | None = None,
    discrete_x: Any = None,
    discrete_y: Any = None,
    discrete_given: Any = None,
) -> Estimate:
    """The mutual information of x and y, in nats; conditional on `given` where one is given.

    Args:
        x, y, given: (n,) or (n, d) arrays, series or data frames (numpy, pandas, polars, pyarrow, torch).
        method: "auto", "discrete", "ksg", "ross", "mixed", "copula", "cca", "critic", "constant", or an `Estimator`
            with settings of its own.
        level: of the interval; None for none.
        permutations: how many shuffles of y the p-value rests on; 0 for no p-value.
        block: length of the blocks that intervals and permutations keep together, for time series.
        random_state: None, an int, or a numpy generator.
        n_jobs: processes that share subsamples and permutations.
        delta: where given, `lower` is a certificate: it holds with probability 1 - delta, whatever the distribution.
        discrete_x, discrete_y, discrete_given: whether the columns are discrete, a bool or one for each column; None
            infers it.

    Raises:
        InputError: input that cannot be right, or that the method is not defined on.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=1000)
    >>> found = estimate(x, x + rng.normal(size=1000), random_state=0)
    >>> bool(found.interval.low < 0.5 * np.log(2) < found.interval.high)
    True
    """
    return estimate_sample(
        estimator_of(method),
        sample(x, y, given, discrete_x=discrete_x, discrete_y=discrete_y, discrete_given=discrete_given),
        level=level,
        permutations=permutations,
        block=block,
        random_state=random_state,
        n_jobs=n_jobs,
        delta=delta,
    )


def estimator_of(method: Any) -> Estimator:
    """The estimator of this name, with its default settings, or `method` itself where it is one."""
    if isinstance(method, Estimator):
        return method
    if isinstance(method, str) and method in METHODS:
        return METHODS[method]()
    raise InputError(f"method must be one of {', '.join(METHODS)}, or an Estimator; got {method!r}.")
