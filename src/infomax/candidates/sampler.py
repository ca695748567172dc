"""`Sampler`: noise over classes 0 to V - 1, with its own log expected counts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

import torch
from torch import Tensor

from infomax.candidates.drawn import Drawn


class Sampler(ABC):
    """Noise over `classes` ids. All randomness comes from the generator, so a saved generator state resumes the draws."""

    classes: int
    hits: Literal["kept", "masked"] = "kept"

    @abstractmethod
    def draw(self, k: int, rng: torch.Generator, rows: int | None = None) -> Drawn:
        """k ids shared by all rows, or, with `rows`, (rows, k), each row its own."""

    @abstractmethod
    def log_expected(self, ids: Tensor, k: int) -> Tensor:
        """float64, shape of ids: log of the expected count of each id among k draws; -inf for an id never drawn."""
