"""Losses: plain functions of `Scores`, a value an anchor, in nats, lower is better; drop-ins under familiar names."""

from infomax.objectives.barber_agakov import barber_agakov
from infomax.objectives.club import club
from infomax.objectives.donsker_varadhan import MineLoss, donsker_varadhan, mine
from infomax.objectives.drop_in import InfoNCELoss, info_nce_loss
from infomax.objectives.flo import flo
from infomax.objectives.info_nce import info_nce
from infomax.objectives.interpolated import interpolated
from infomax.objectives.jensen_shannon import jensen_shannon
from infomax.objectives.leave_one_out import leave_one_out
from infomax.objectives.noise import (
    binary_nce,
    binary_nce_anchor,
    generalised_bce,
    negative_sampling,
    noise_scores,
    ranking_nce,
)
from infomax.objectives.rate import rate
from infomax.objectives.smile import smile
from infomax.objectives.tuba import nwj, tuba

__all__ = [
    "InfoNCELoss",
    "MineLoss",
    "barber_agakov",
    "binary_nce",
    "binary_nce_anchor",
    "club",
    "donsker_varadhan",
    "flo",
    "generalised_bce",
    "info_nce",
    "info_nce_loss",
    "interpolated",
    "jensen_shannon",
    "leave_one_out",
    "mine",
    "negative_sampling",
    "noise_scores",
    "nwj",
    "ranking_nce",
    "rate",
    "smile",
    "tuba",
]
