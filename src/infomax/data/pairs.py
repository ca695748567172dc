"""The pairs that every method here starts from: n anchors, n candidates, row i of one true with row i of the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Column(Protocol):
    """One side of the pairs: a length, and a batch for an array of row numbers.

    A text column gives a `list[str]`; a tensor column gives a tensor whose first axis is the batch.
    """

    def __len__(self) -> int: ...

    def __getitem__(self, rows: np.ndarray) -> Any: ...


@dataclass(frozen=True)
class ReadReport:
    """What reading did: where the rows came from, how many there were, and why some were left out."""

    source: str
    read: int
    kept: int
    skipped: Mapping[str, int] = field(default_factory=dict)  # reason in plain words -> rows


@dataclass(frozen=True)
class Pairs:
    """n true pairs.

    Attributes:
        anchors, candidates: the two sides, each of length n.
        ids: (n,) int64; rows that share an anchor or a candidate share an id (transitively), so that they are
            never each other's negatives.
        groups: (n,) int64; rows of one group (a source file, say) stay on one side of a split.
        labels: how to show candidate i to a person (for code: dotted name, file and line); None means the text itself.
        report: what reading kept and skipped.
        scores: how alike the two of pair i are, as it was read; None where no column was asked for.
    """

    anchors: Column
    candidates: Column
    ids: np.ndarray
    groups: np.ndarray
    labels: Sequence[str] | None
    report: ReadReport
    scores: Sequence[str] | None = None

    def __len__(self) -> int:
        return len(self.ids)
