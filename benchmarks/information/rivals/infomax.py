"""infomax as it comes: one call, the method chosen, with its interval. Like the rivals it is told which columns are discrete."""

from typing import Any

import numpy as np

from benchmarks.information.rival import Answer, Rival, Sample
from infomax.estimators import Estimate, estimate

KINDS = ("continuous", "discrete", "mixed")


def answer(sample: Sample) -> Answer:
    return said(estimate(sample.x, sample.y, random_state=sample.seed, **about(sample)))


def about(sample: Sample) -> dict[str, Any]:
    """What is given, which sides are discrete, and how long the blocks are."""
    sides = {"discrete_x": sample.x, "discrete_y": sample.y, "discrete_given": sample.z}
    discrete = {name: side.dtype == np.int64 for name, side in sides.items() if side is not None}
    return {"given": sample.z, "block": sample.block, **discrete}


def said(found: Estimate) -> Answer:
    interval = found.interval
    return Answer(
        nats=found.nats,
        standard_error=found.standard_error,
        low=None if interval is None else interval.low,
        high=None if interval is None else interval.high,
        p_value=found.p_value,
        held_out=found.details.get("held_out"),
        certified=None if found.lower is None else found.lower.nats,
        method=found.method,
    )


RIVAL = Rival("infomax", ("infomax", "torch"), answer, KINDS, conditional=True)
