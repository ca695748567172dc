"""infomax looking at the neighbourhoods of 2,000 random rows, among all rows: another number, with a standard error."""

from benchmarks.neighbour_rival import NeighbourRival, measured
from infomax.estimators import KSG

RIVAL = NeighbourRival(
    "infomax, 2,000 random rows",
    ("infomax",),
    lambda x, y, k: measured(KSG(k, scale="none", queries=2000), x, y),
    same_number=False,
    smallest=5000,
)
