"""The pairs of a run, in three parts, and whether they are enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from infomax.data import Pairs, TextColumn, read_pairs, split_pairs
from infomax.data.split import Split
from infomax.errors import InputError
from infomax.evaluation.vectors import Part, remembered, sides
from infomax.training.clock import Clock
from infomax.training.settings import Settings


@dataclass(frozen=True)
class Parts:
    """All pairs, and which rows to learn from, to choose by and to report on; the latter two may be empty.

    `warnings` holds plain sentences.
    """

    all: Pairs
    split: Split
    warnings: list[str] = field(default_factory=list)

    @cached_property
    def train(self) -> Pairs:
        """Pairs to learn from."""
        return take(self.all, self.split.train)

    @cached_property
    def validation(self) -> Pairs:
        """Pairs to choose by."""
        return take(self.all, self.split.validation)

    @cached_property
    def test(self) -> Pairs:
        """Pairs to report on."""
        return take(self.all, self.split.test)

    @property
    def sizes(self) -> dict[str, int]:
        """Pairs in each part."""
        return {"train": len(self.train), "validation": len(self.validation), "test": len(self.test)}

    def prepared_for(self, encoder: Any) -> Parts:
        """The same parts, with texts tokenised once where the encoder can."""
        a, c = sides(encoder)
        anchors, candidates = remembered(a, self.all.anchors), remembered(c, self.all.candidates)
        return replace(self, all=replace(self.all, anchors=anchors, candidates=candidates))


def take(pairs: Pairs, rows: np.ndarray) -> Pairs:
    """Some of the pairs, as views."""
    return replace(
        pairs,
        anchors=_rows(pairs.anchors, rows),
        candidates=_rows(pairs.candidates, rows),
        ids=pairs.ids[rows],
        groups=pairs.groups[rows],
        labels=_items(pairs.labels, rows),
        scores=_items(pairs.scores, rows),
    )


def _items(items: Sequence[str] | None, rows: np.ndarray) -> Sequence[str] | None:
    return items[rows] if isinstance(items, TextColumn) else items and [items[int(row)] for row in rows]


def _rows(column: Any, rows: np.ndarray) -> Part:
    """Some rows; of a part, of its whole column, which may know its texts tokenised."""
    return Part(column.column, column.chosen[rows]) if isinstance(column, Part) else Part(column, rows)


def part(source: Any, settings: Settings, clock: Clock) -> Parts:
    """Read pairs, split them, and say what cannot work.

    Raises:
        InputError: fewer than two pairs, or all of them share one id.
    """
    with clock("read"):
        pairs = read_pairs(source)
    if len(pairs) < 2:
        raise InputError(f"Learning needs at least two pairs, since each is told from the others; got {len(pairs)}.")
    _at_least_two_kinds(pairs, "All pairs share a text, so none can be told from another; give pairs that differ.")
    with clock("split"):
        split = split_pairs(pairs, validation=float(settings.validation), test=float(settings.test), seed=settings.seed)
    parts = Parts(pairs, split)
    _at_least_two_kinds(
        parts.train,
        f"Of {len(pairs)} pairs, {len(split.train)} are left to learn from, none of which can be told from another; "
        f"give more pairs, or smaller shares for validation and test (0 is allowed).",
    )
    if len(split.validation) < 2:
        parts.warnings.append(
            f"{_few(split.validation)} to validate on: training goes on to its last epoch and keeps its last encoder."
        )
    if len(split.test) < 2:
        parts.warnings.append(f"{_few(split.test)} to report on: there is no evaluation.")
    return parts


def _at_least_two_kinds(pairs: Pairs, message: str) -> None:
    if len(np.unique(pairs.ids)) < 2:
        raise InputError(message)


def _few(rows: np.ndarray) -> str:
    return "One pair is too few" if len(rows) else "No pairs are left"
