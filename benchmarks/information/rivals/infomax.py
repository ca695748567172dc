"""infomax as it comes: one call, the method chosen, with its interval."""

from benchmarks.information.rival import Answer, Rival, Sample
from infomax.estimators import Estimate, estimate

KINDS = ("continuous", "discrete", "mixed")


def answer(sample: Sample) -> Answer:
    return said(estimate(sample.x, sample.y, given=sample.z, block=sample.block, random_state=sample.seed))


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
