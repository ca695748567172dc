"""Mutual information from nearest neighbours: no model, no training, any dimension in principle and few in practice."""

from infomax.estimators.neighbours.ksg import KSG
from infomax.estimators.neighbours.mixed import MixedKSG
from infomax.estimators.neighbours.ross import Ross

__all__ = ["KSG", "MixedKSG", "Ross"]
