"""What is measured: a world of a group, at a size, from a seed that names its sample for every rival alike."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from zlib import crc32

import numpy as np

from infomax.data.worlds import (
    ConditionalWorld,
    World,
    beyond_normal,
    conditional_worlds,
    discrete_worlds,
    high_information,
    independent_worlds,
    mixed_worlds,
    staircase,
    time_series,
)


def _steps() -> list[World]:
    return staircase() + staircase(cubed=True)


GROUPS: dict[str, Callable[[], list[World] | list[ConditionalWorld]]] = {
    "beyond-normal": beyond_normal,
    "staircase": _steps,
    "high": high_information,
    "discrete": discrete_worlds,
    "mixed": mixed_worlds,
    "independent": independent_worlds,
    "series": time_series,
    "conditional": conditional_worlds,
}


@dataclass(frozen=True)
class Task:
    """A world and the group that it belongs to."""

    group: str
    world: World | ConditionalWorld

    @property
    def truth(self) -> float:
        """Nats that an estimator is asked for: conditional ones where the world has a z."""
        if isinstance(self.world, ConditionalWorld):
            return self.world.conditional_mutual_information
        return self.world.mutual_information

    @property
    def kind(self) -> str:
        """ "continuous", "discrete" or "mixed", by the types of its columns."""
        whole = {side.dtype.kind == "i" for side in self.sample(1, 0)}
        return "mixed" if len(whole) > 1 else "discrete" if whole == {True} else "continuous"

    @property
    def block(self) -> int:
        """How many successive pairs depend on each other."""
        return self.world.block if isinstance(self.world, World) else 1

    def sample(self, n: int, seed: int) -> tuple[np.ndarray, ...]:
        """x and y, and z where there is one; other draws for other worlds, so that their errors are independent."""
        return self.world.sample(n, [seed, crc32(self.world.name.encode())])


def tasks(groups: list[str]) -> list[Task]:
    """The tasks of these groups, in order."""
    return list(chain.from_iterable([Task(group, world) for world in GROUPS[group]()] for group in groups))
