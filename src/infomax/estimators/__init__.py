"""Mutual information from samples: each method an `Estimator`, each answer an `Estimate`."""

from infomax.estimators.estimate import Caution, Contender, Estimate, Interval, Limit
from infomax.estimators.estimator import Estimator, Measured

__all__ = ["Caution", "Contender", "Estimate", "Estimator", "Interval", "Limit", "Measured"]
