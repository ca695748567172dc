"""benchmark-mi's canonical correlations."""

from bmi.estimators import CCAMutualInformationEstimator

from benchmarks.information.rival import Rival, Sample


def nats(sample: Sample) -> float:
    return float(CCAMutualInformationEstimator().estimate(sample.x, sample.y))


RIVAL = Rival("benchmark-mi, CCA", ("benchmark-mi", "jax"), nats)
