"""Exact quantities of known distributions, and plug-in quantities of counts."""

from infomax.information.entropy_estimators import (
    chao_shen,
    chao_wang_jost,
    grassberger,
    james_stein,
    miller_madow,
    plug_in,
)
from infomax.information.from_counts import entropy_from_counts, mutual_information_from_counts
from infomax.information.nsb import nsb

__all__ = [
    "chao_shen",
    "chao_wang_jost",
    "entropy_from_counts",
    "grassberger",
    "james_stein",
    "miller_madow",
    "mutual_information_from_counts",
    "nsb",
    "plug_in",
]
