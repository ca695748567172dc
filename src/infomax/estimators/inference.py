"""From a method's number to an `Estimate`: the checks, interval, p-value and cautions that all methods share."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from infomax.data.samples import Sample
from infomax.data.variables import sample as observed_sample
from infomax.errors import InputError
from infomax.estimators.cautions import common_cautions, reading_cautions
from infomax.estimators.certificate import certify, check_delta
from infomax.estimators.constant_columns import without_constants
from infomax.estimators.entropy_limit import entropy_limit
from infomax.estimators.estimate import Caution, Estimate, Interval
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.intervals import FEWEST, asymptotic, error_over_blocks, spread_over_subsamples, subsampling
from infomax.estimators.permutation import p_value
from infomax.estimators.random_state import generator


def estimate_with(
    estimator: Estimator,
    x: Any,
    y: Any,
    *,
    given: Any = None,
    level: float | None = 0.95,
    permutations: int = 0,
    block: int = 1,
    random_state: Any = None,
    n_jobs: int = 1,
    delta: float | None = None,
) -> Estimate:
    """What `Estimator.estimate` answers: see there; `n_jobs` processes share subsamples and permutations.

    With `delta`, `lower` is a certificate that holds with probability 1 - delta (see `certificate`).
    """
    sample = observed_sample(x, y, given)
    return estimate_sample(
        estimator,
        sample,
        level=level,
        permutations=permutations,
        block=block,
        random_state=random_state,
        n_jobs=n_jobs,
        delta=delta,
    )


def estimate_sample(
    estimator: Estimator,
    sample: Sample,
    *,
    level: float | None = 0.95,
    permutations: Any = 0,
    block: Any = 1,
    random_state: Any = None,
    n_jobs: int = 1,
    delta: float | None = None,
) -> Estimate:
    """The same for a `Sample`, such as one whose kinds of column were said rather than inferred."""
    check_settings(level, permutations, block, n_jobs, delta, len(sample))
    if delta is not None and (block > 1 or sample.z is not None):
        raise InputError(
            "A certificate is for independent pairs and no given variable: leave out delta, or block and given."
        )
    permutations, block = int(permutations), int(block)  # numpy's small integers overflow
    own, for_interval, for_test, for_limits = generator(random_state).spawn(4)
    varying, cautions = without_constants(sample)
    if varying is None:
        return _of_a_constant(estimator, sample, cautions, permutations)
    measured = estimator.measure(varying, own)
    if np.isnan(measured.nats):
        raise InputError(f"{estimator.title} gives no number on these {len(sample):,} pairs: try another method.")
    statistic = partial(_nats, estimator)
    error, interval = _error(statistic, measured, varying, level, block, for_interval, n_jobs)
    if interval is not None and any(caution.kind == "ceiling" for caution in measured.cautions):
        interval = replace(interval, high=float("inf"))  # the truth may be anything above
    upper = entropy_limit(varying, delta or 0.05, for_limits) if block == 1 else None
    if interval is not None and upper is not None:
        high = min(interval.high, max(upper.nats, measured.nats))
        interval = replace(interval, low=min(interval.low, high), high=high)
    p = None
    if permutations:
        tester = estimator.tester(varying)
        tested = partial(_nats, tester)
        observed = measured.nats if tester is estimator else tested(varying, for_test)
        p = p_value(tested, varying, observed, permutations=permutations, block=block, rng=for_test, n_jobs=n_jobs)
    return Estimate(
        nats=float(measured.nats),
        method=measured.method or estimator.title,
        n=len(sample),
        citation=measured.citation or estimator.citation,
        standard_error=error,
        interval=interval,
        lower=None if delta is None else certify(varying, delta=delta, critic=None, rng=for_limits),
        upper=upper,
        p_value=p,
        dropped=sample.dropped,
        cautions=_all_cautions(cautions, measured, varying),
        contenders=measured.contenders,
        details=measured.details,
    )


def check_settings(level: Any, permutations: Any, block: Any, n_jobs: Any, delta: Any, n: int) -> None:
    """Raises InputError for one that cannot be right, whatever the n pairs are."""
    if level is not None and not (isinstance(level, float | np.floating) and 0 < level < 1):
        raise InputError(f"level must lie between 0 and 1, such as 0.95, or be None; got {level!r}.")
    if not is_whole(permutations) or permutations < 0:
        raise InputError(f"permutations must be a whole number, 0 or more; got {permutations!r}.")
    if not (is_whole(block) and 1 <= block <= n):
        raise InputError(f"block must lie between 1 and the {n:,} pairs, a whole number; got {block!r}.")
    if n_jobs is not None and (not is_whole(n_jobs) or n_jobs == 0):
        raise InputError(f"n_jobs must be a number of processes, or -1 for all processors; got {n_jobs!r}.")
    if delta is not None:
        check_delta(delta)


def is_whole(value: Any) -> bool:
    """Whether it is a whole number, and no truth value."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def _of_a_constant(estimator: Estimator, sample: Sample, cautions: list[Caution], permutations: int) -> Estimate:
    return Estimate(
        nats=0.0,
        method=f"constant side, no method needed ({estimator.title} asked for)",
        n=len(sample),
        citation=estimator.citation,
        p_value=1.0 if permutations else None,
        dropped=sample.dropped,
        cautions=(*reading_cautions(sample), *cautions),
    )


def _nats(estimator: Estimator, sample: Sample, rng: np.random.Generator) -> float:
    varying, _ = without_constants(sample)
    return 0.0 if varying is None else float(estimator.measure(varying, rng).nats)


def _error(
    statistic: Any,
    measured: Measured,
    sample: Sample,
    level: float | None,
    block: int,
    rng: np.random.Generator,
    n_jobs: int,
) -> tuple[float | None, Interval | None]:
    """Standard error and interval: by the method's own theory, else over subsamples."""
    error = measured.standard_error
    if block > 1 and error is not None:
        few = -(-len(sample) // block) < FEWEST
        error = None if measured.local is None or few else error_over_blocks(measured.local, block)
    if error is not None and np.isfinite(error):
        return error, None if level is None else asymptotic(measured.nats, error, level, len(sample) // block)
    if level is None or not np.isfinite(measured.nats):
        return None, None
    spread = spread_over_subsamples(statistic, sample, measured.nats, block=block, rng=rng, n_jobs=n_jobs)
    if spread is None or not np.isfinite(spread.error):
        return None, None
    return spread.error, subsampling(measured.nats, spread, level, len(sample) // block)


def _all_cautions(own: list[Caution], measured: Measured, sample: Sample) -> tuple[Caution, ...]:
    """The common ones only of a kind on which the method says nothing itself."""
    spoken = {caution.kind for caution in measured.cautions}
    common = [caution for caution in common_cautions(sample, measured.nats) if caution.kind not in spoken]
    return (*own, *measured.cautions, *common)
