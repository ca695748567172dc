"""What scores say about mutual information: plain functions `Scores -> nats`, with side, ceiling and assumption."""

from infomax.bounds.barber_agakov import barber_agakov
from infomax.bounds.bound import Bound
from infomax.bounds.club import club
from infomax.bounds.donsker_varadhan import donsker_varadhan
from infomax.bounds.flo import flo
from infomax.bounds.info_nce import info_nce
from infomax.bounds.interpolated import interpolated
from infomax.bounds.jensen_shannon import jensen_shannon, jensen_shannon_nwj
from infomax.bounds.leave_one_out import leave_one_out
from infomax.bounds.rate import rate
from infomax.bounds.readout import Readout, readout
from infomax.bounds.smile import smile
from infomax.bounds.tuba import nwj, tuba

__all__ = [
    "Bound",
    "Readout",
    "barber_agakov",
    "club",
    "donsker_varadhan",
    "flo",
    "info_nce",
    "interpolated",
    "jensen_shannon",
    "jensen_shannon_nwj",
    "leave_one_out",
    "nwj",
    "rate",
    "readout",
    "smile",
    "tuba",
]
