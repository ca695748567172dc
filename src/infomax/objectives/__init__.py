"""Losses: plain functions of `Scores`, a value an anchor, in nats, lower is better; drop-ins under familiar names."""

from infomax.objectives.barber_agakov import barber_agakov
from infomax.objectives.club import club
from infomax.objectives.cosent import cosent
from infomax.objectives.covariance import barlow_twins, vicreg
from infomax.objectives.cpc import cpc, future_scores
from infomax.objectives.decoupled import decoupled
from infomax.objectives.deep_infomax import local_scores, whole_info_nce
from infomax.objectives.donsker_varadhan import MineLoss, donsker_varadhan, mine
from infomax.objectives.drop_in import InfoNCELoss, info_nce_loss
from infomax.objectives.flo import flo
from infomax.objectives.guided import gist, guided
from infomax.objectives.info_nce import info_nce
from infomax.objectives.interpolated import interpolated
from infomax.objectives.jensen_shannon import jensen_shannon
from infomax.objectives.leave_one_out import leave_one_out
from infomax.objectives.matryoshka import matryoshka
from infomax.objectives.metric import angular, margin_contrastive, n_pair
from infomax.objectives.moco import moco_loss
from infomax.objectives.noise import (
    binary_nce,
    binary_nce_anchor,
    generalised_bce,
    negative_sampling,
    noise_scores,
    ranking_nce,
)
from infomax.objectives.prior_matching import prior_discriminator, prior_matching
from infomax.objectives.rate import rate
from infomax.objectives.reweighted import debiased, hard_negative
from infomax.objectives.sigmoid import sigmoid
from infomax.objectives.smile import smile
from infomax.objectives.smoothed import smoothed
from infomax.objectives.soft_targets import soft_targets
from infomax.objectives.sphere import alignment, uniformity
from infomax.objectives.supervised_contrastive import supervised_contrastive
from infomax.objectives.triplet import triplet
from infomax.objectives.tuba import nwj, tuba
from infomax.objectives.two_views import nt_xent, two_views

__all__ = [
    "InfoNCELoss",
    "MineLoss",
    "alignment",
    "angular",
    "barber_agakov",
    "barlow_twins",
    "binary_nce",
    "binary_nce_anchor",
    "club",
    "cosent",
    "cpc",
    "debiased",
    "decoupled",
    "donsker_varadhan",
    "flo",
    "future_scores",
    "generalised_bce",
    "gist",
    "guided",
    "hard_negative",
    "info_nce",
    "info_nce_loss",
    "interpolated",
    "jensen_shannon",
    "leave_one_out",
    "local_scores",
    "margin_contrastive",
    "matryoshka",
    "mine",
    "moco_loss",
    "n_pair",
    "negative_sampling",
    "noise_scores",
    "nt_xent",
    "nwj",
    "prior_discriminator",
    "prior_matching",
    "ranking_nce",
    "rate",
    "sigmoid",
    "smile",
    "smoothed",
    "soft_targets",
    "supervised_contrastive",
    "triplet",
    "tuba",
    "two_views",
    "uniformity",
    "vicreg",
    "whole_info_nce",
]
