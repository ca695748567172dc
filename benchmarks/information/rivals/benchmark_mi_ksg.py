"""benchmark-mi's KSG with k = 10 in Euclidean metrics, as in the paper's tables."""

from bmi.estimators import KSGEnsembleFirstEstimator

from benchmarks.information.rival import Rival, Sample


def nats(sample: Sample) -> float:
    return float(KSGEnsembleFirstEstimator(neighborhoods=(10,)).estimate(sample.x, sample.y))


RIVAL = Rival("benchmark-mi, KSG, k = 10", ("benchmark-mi", "jax"), nats)
