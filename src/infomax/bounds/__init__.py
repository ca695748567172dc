"""What scores say about mutual information: plain functions `Scores -> nats`, with side, ceiling and assumption."""

from infomax.bounds.bound import Bound
from infomax.bounds.info_nce import info_nce
from infomax.bounds.readout import Readout, readout

__all__ = ["Bound", "Readout", "info_nce", "readout"]
