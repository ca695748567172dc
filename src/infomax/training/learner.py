"""All that is learned: the encoder (one module, or one a side), the temperature of the scores, and what an objective holds."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from infomax.evaluation.vectors import TwoSided, sides

COLDEST, HOTTEST = 0.005, 2.0  # beyond these a learned temperature has run away; see `Temperature.clamp`


class Temperature(nn.Module):
    """A positive number learned through its logarithm, so that a step changes it by a share, never past zero."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.log = nn.Parameter(torch.tensor(float(value)).log())

    def forward(self) -> torch.Tensor:
        return self.log.exp()

    @torch.no_grad()
    def clamp(self) -> None:
        """Keep it, if it is learned, where float32 scores keep their digits; called after every step."""
        if not self.log.requires_grad:
            return
        low, high = torch.tensor([COLDEST, HOTTEST], device=self.log.device).log()
        self.log.clamp_(low, high)


class Learner(nn.Module):
    """The encoder, the temperature and an objective that is a module, as one module: its state is what a checkpoint holds."""

    def __init__(
        self, encoder: Any, temperature: float, objective: Any = None, *, learn_temperature: bool = True
    ) -> None:
        super().__init__()
        self.encoder = TwoSided(*sides(encoder)) if isinstance(encoder, tuple | list) else encoder
        self.temperature = Temperature(temperature)
        self.temperature.log.requires_grad_(learn_temperature)
        self.objective = objective if isinstance(objective, nn.Module) else None

    def train(self, mode: bool = True) -> Learner:
        """The mode of what encodes; an objective stays in its own, for it may hold a teacher."""
        self.training = mode
        self.encoder.train(mode)
        self.temperature.train(mode)
        return self

    @property
    def sides(self) -> tuple[nn.Module, nn.Module]:
        """The modules that encode anchors and candidates."""
        return sides(self.encoder)
