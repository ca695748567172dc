"""Worlds: laws of pairs whose mutual information is known exactly, to try estimators on."""

from infomax.data.worlds.additive_noise import additive_noise
from infomax.data.worlds.beyond_normal import beyond_normal
from infomax.data.worlds.conditional import conditional_worlds
from infomax.data.worlds.discrete import discrete_worlds, table
from infomax.data.worlds.elliptical import correlated, elliptical
from infomax.data.worlds.independent import independent, independent_worlds
from infomax.data.worlds.mixed import mixed_worlds
from infomax.data.worlds.series import autoregressions, time_series
from infomax.data.worlds.staircase import high_information, staircase
from infomax.data.worlds.world import ConditionalWorld, World

__all__ = [
    "ConditionalWorld",
    "World",
    "additive_noise",
    "autoregressions",
    "beyond_normal",
    "conditional_worlds",
    "correlated",
    "discrete_worlds",
    "elliptical",
    "high_information",
    "independent",
    "independent_worlds",
    "mixed_worlds",
    "staircase",
    "table",
    "time_series",
]
