"""infomax on the columns as they are: the same number as the others."""

from benchmarks.neighbour_rival import NeighbourRival, measured
from infomax.estimators import KSG

RIVAL = NeighbourRival("infomax", ("infomax",), lambda x, y, k: measured(KSG(k, scale="none"), x, y))
