"""Mutual information from samples: each method an `Estimator`, each answer an `Estimate`."""

from infomax.estimators.auto import Auto
from infomax.estimators.certificate import certificate
from infomax.estimators.constant import Constant
from infomax.estimators.critic import Critic
from infomax.estimators.discrete import Discrete
from infomax.estimators.estimate import Caution, Contender, Estimate, Interval, Limit
from infomax.estimators.estimator import Estimator, Measured
from infomax.estimators.gaussian import CanonicalCorrelations, GaussianCopula
from infomax.estimators.neighbours import KSG, MixedKSG, Ross
from infomax.estimators.select import estimate
from infomax.estimators.self_check import SelfCheck, Trial, self_check
from infomax.estimators.table import TableInformation, mutual_information_table

__all__ = [
    "KSG",
    "Auto",
    "CanonicalCorrelations",
    "Caution",
    "Constant",
    "Contender",
    "Critic",
    "Discrete",
    "Estimate",
    "Estimator",
    "GaussianCopula",
    "Interval",
    "Limit",
    "Measured",
    "MixedKSG",
    "Ross",
    "SelfCheck",
    "TableInformation",
    "Trial",
    "certificate",
    "estimate",
    "mutual_information_table",
    "self_check",
]
