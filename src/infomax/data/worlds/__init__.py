"""Worlds: laws of pairs whose mutual information is known exactly, to try estimators on."""

from infomax.data.worlds.additive_noise import additive_noise
from infomax.data.worlds.beyond_normal import beyond_normal
from infomax.data.worlds.elliptical import correlated, elliptical
from infomax.data.worlds.staircase import high_information, staircase
from infomax.data.worlds.world import ConditionalWorld, World

__all__ = [
    "ConditionalWorld",
    "World",
    "additive_noise",
    "beyond_normal",
    "correlated",
    "elliptical",
    "high_information",
    "staircase",
]
