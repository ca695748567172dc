"""What a rival is: a name, the packages that it needs, the objectives that it has, and a loss."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from benchmarks import rivals


@dataclass(frozen=True)
class Rival:
    """One contestant.

    Attributes:
        name: as the tables show it.
        packages: the distributions that it comes from, for their versions.
        loss: (objective, q, k, temperature) -> scalar to call `backward` on; for a floor, None when its products are done.
        objectives: which ones it has.
        largest: the largest N that it is asked for, where its memory or time grows out of hand.
        normalizes: it scales the rows to unit length itself, so its gradients are tangent to the sphere.
        floor: it only multiplies matrices.
        dense: the bytes of N x N arrays that it holds at once, over N**2; 0 for streamed ones.
    """

    name: str
    packages: tuple[str, ...]
    loss: Callable[[str, Tensor, Tensor, float], Tensor | None]
    objectives: tuple[str, ...] = ("one_way", "symmetric")
    largest: int = 1 << 30
    normalizes: bool = False
    floor: bool = False
    dense: int = 0

    def step(self, objective: str, q: Tensor, k: Tensor, temperature: float) -> Tensor | None:
        """Value and gradients, into fresh `.grad`."""
        q.grad = k.grad = None
        value = self.loss(objective, q, k, temperature)
        if value is not None:
            value.backward()
        return value


def load(wanted: list[str] | None = None) -> tuple[list[Rival], list[str]]:
    """The rivals of benchmarks/rivals, by file name, and a note for each that cannot be imported here."""
    found, notes = [], []
    for module in pkgutil.iter_modules(rivals.__path__):
        if wanted is None or module.name in wanted:
            try:
                found.append(importlib.import_module(f"benchmarks.rivals.{module.name}").RIVAL)
            except ImportError as error:
                notes.append(f"{module.name} is left out: {error}")
    return found, notes
