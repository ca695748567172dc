"""infomax by canonical correlations alone, without an interval."""

from benchmarks.information.rival import Answer, Rival, Sample
from benchmarks.information.rivals.infomax import said
from infomax.estimators import estimate


def answer(sample: Sample) -> Answer:
    return said(estimate(sample.x, sample.y, method="cca", level=None, random_state=sample.seed))


RIVAL = Rival('infomax, method="cca"', ("infomax",), answer)
