"""benchmark-mi's MINE, its default network and steps; it reports the largest value on the split that it stops on."""

from bmi.estimators import MINEEstimator

from benchmarks.information.rival import Rival, Sample


def nats(sample: Sample) -> float:
    return float(MINEEstimator(verbose=False, seed=sample.seed).estimate(sample.x, sample.y))


RIVAL = Rival("benchmark-mi, MINE", ("benchmark-mi", "jax"), nats)
