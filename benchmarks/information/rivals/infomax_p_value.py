"""infomax as it comes, asked for a p-value of 99 permutations and for nothing else."""

from benchmarks.information.rival import Answer, Rival, Sample
from benchmarks.information.rivals.infomax import KINDS, about
from infomax.estimators import estimate


def answer(sample: Sample) -> Answer:
    found = estimate(sample.x, sample.y, level=None, permutations=99, random_state=sample.seed, **about(sample))
    return Answer(p_value=found.p_value, method=found.method)


RIVAL = Rival("infomax, 99 permutations", ("infomax", "torch"), answer, KINDS, groups=("independent",))
