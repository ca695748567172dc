"""infomax by KSG alone, without an interval."""

from benchmarks.information.rival import Answer, Rival, Sample
from benchmarks.information.rivals.infomax import said
from infomax.estimators import estimate


def answer(sample: Sample) -> Answer:
    return said(estimate(sample.x, sample.y, method="ksg", level=None, random_state=sample.seed))


RIVAL = Rival('infomax, method="ksg"', ("infomax",), answer)
