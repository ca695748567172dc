"""What a rival of huge output layers is: a name, how to build it for classes of some law, and how much memory it takes."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.optim import Optimizer

from benchmarks import vocabulary_rivals
from infomax.candidates.independent import IndependentDraws

WIDTH, BATCH, DRAWS = 128, 512, 4096

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class VocabularyRival:
    """One contestant.

    Attributes:
        name: as the tables show it.
        build: law of the classes -> (loss of (batch, d) contexts and (batch,) targets, its optimiser), an Adam.
        tables: how many arrays (V, d) it holds at its peak, parameters, gradients and moments.
        logits: how many arrays (batch, V) it holds at its peak.
    """

    name: str
    build: Callable[[IndependentDraws], tuple[Loss, Optimizer]]
    tables: float
    logits: float = 0

    def gib(self, classes: int) -> float:
        """About what it needs."""
        return 4 * classes * (self.tables * WIDTH + self.logits * BATCH) / 2**30


def names() -> list[str]:
    """The files in `benchmarks/vocabulary_rivals`."""
    return [module.name for module in pkgutil.iter_modules(vocabulary_rivals.__path__)]


def load(name: str) -> VocabularyRival:
    """The rival in a file."""
    rival = importlib.import_module(f"benchmarks.vocabulary_rivals.{name}").RIVAL
    assert isinstance(rival, VocabularyRival)
    return rival
