"""Mutual information from samples: each method an `Estimator`, each answer an `Estimate`."""

from infomax.estimators.estimate import Caution, Contender, Estimate, Interval, Limit
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.gaussian import CanonicalCorrelations, GaussianCopula

__all__ = [
    "CanonicalCorrelations",
    "Caution",
    "Contender",
    "Estimate",
    "Estimator",
    "GaussianCopula",
    "Interval",
    "Limit",
    "Measured",
]
