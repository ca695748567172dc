"""benchmark-mi's InfoNCE, its default network and steps; it reports the largest value on the split that it stops on."""

from bmi.estimators import InfoNCEEstimator

from benchmarks.information.rival import Rival, Sample


def nats(sample: Sample) -> float:
    return float(InfoNCEEstimator(verbose=False, seed=sample.seed).estimate(sample.x, sample.y))


RIVAL = Rival("benchmark-mi, InfoNCE", ("benchmark-mi", "jax"), nats)
