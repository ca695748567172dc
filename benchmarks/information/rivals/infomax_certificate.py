"""infomax's certificate: a lower limit that holds for any law, 95 times in 100; no estimate."""

from benchmarks.information.rival import Answer, Rival, Sample
from benchmarks.information.rivals.infomax import KINDS
from infomax.estimators.certificate import certificate


def answer(sample: Sample) -> Answer:
    return Answer(certified=certificate(sample.x, sample.y, random_state=sample.seed).nats, method="certificate")


INDEPENDENT_PAIRS = ("beyond-normal", "staircase", "high", "discrete", "mixed", "independent")
RIVAL = Rival("infomax, certificate", ("infomax",), answer, KINDS, groups=INDEPENDENT_PAIRS)
