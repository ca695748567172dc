"""infomax as it comes: on normal scores, which is another number (free of the columns' scales and tails)."""

from benchmarks.neighbour_rival import NeighbourRival, measured
from infomax.estimators import KSG

RIVAL = NeighbourRival(
    "infomax, normal scores", ("infomax",), lambda x, y, k: measured(KSG(k), x, y), same_number=False
)
