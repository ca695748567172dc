"""Losses: plain functions of `Scores`, a value an anchor, in nats, lower is better; drop-ins under familiar names."""

from infomax.objectives.drop_in import InfoNCELoss, info_nce_loss
from infomax.objectives.info_nce import info_nce

__all__ = ["InfoNCELoss", "info_nce", "info_nce_loss"]
