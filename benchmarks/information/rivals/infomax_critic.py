"""infomax by the critic alone, without an interval."""

from benchmarks.information.rival import Answer, Rival, Sample
from benchmarks.information.rivals.infomax import said
from infomax.estimators import estimate


def answer(sample: Sample) -> Answer:
    return said(estimate(sample.x, sample.y, method="critic", level=None, random_state=sample.seed))


RIVAL = Rival('infomax, method="critic"', ("infomax",), answer)
