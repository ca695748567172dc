"""Train, validation and test without leaks.

A held-out pair with a near twin in the training part measures memory, not learning. So whole groups (source files) are
drawn to a side first; then every cluster of pairs that share an id, or whose anchors or candidates are near duplicates,
and that touches several sides goes to the lowest of them: train before validation before test. Moving towards train
never puts a twin of a training pair on a held-out side; the price, smaller held-out sides, is reported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from infomax.data.columns import TextColumn
from infomax.data.ids import connected
from infomax.data.near_duplicates import near_duplicate_codes
from infomax.data.pairs import Column, Pairs
from infomax.errors import InputError

SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class Split:
    """Sorted int64 row numbers of each side.

    Attributes:
        train, validation, test: rows of the pairs; together all of them, each once.
        moved: "test to train" and the like -> pairs that left the side of their group because of a twin.
        report: the same in a sentence.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    moved: Mapping[str, int]
    report: str


def split_pairs(pairs: Pairs, *, validation: float | int = 0.1, test: float | int = 0.1, seed: int = 0) -> Split:
    """A leak-free split of pairs by whole groups; rows that are twins of each other are never on two sides.

    Columns that hold no text are split by groups and ids alone.

    Args:
        validation, test: share of the pairs that is drawn to each held-out side; 0 leaves the side empty.
        seed: of the draw.

    Raises:
        InputError: the shares are no shares, or a side with a positive share would be empty.
    """
    for name, share in (("validation", validation), ("test", test)):
        if not 0 <= share < 1:
            raise InputError(f"{name}={share} is no share of the pairs: give a number from 0 up to, not including, 1.")
    if validation + test >= 1:
        raise InputError(
            f"validation={validation} and test={test} leave nothing to train on: their sum must be below 1."
        )
    drawn = _draw(pairs.groups, validation, test, np.random.default_rng(seed))
    _refuse_empty(drawn, pairs, (1 - validation - test, validation, test), "so few groups")
    columns = [column for column in (pairs.anchors, pairs.candidates) if (validation or test) and _is_text(column)]
    codes = [near_duplicate_codes(column) for column in columns]
    sides = _lowest(connected(pairs.ids, *codes), drawn)
    _refuse_empty(sides, pairs, (1 - validation - test, validation, test), "the near duplicates among them")
    moved = {
        f"{SIDES[old]} to {SIDES[new]}": int(((drawn == old) & (sides == new)).sum())
        for old, new in ((1, 0), (2, 0), (2, 1))
    }
    rows = [np.flatnonzero(sides == side).astype(np.int64) for side in range(3)]
    return Split(rows[0], rows[1], rows[2], moved, _sentence(rows, moved))


def _draw(groups: np.ndarray, validation: float | int, test: float | int, rng: np.random.Generator) -> np.ndarray:
    """(n,) the side of each row: whole groups in random order, each taken where it fits in what is left of a share.

    So no side exceeds its share, and what it lacks is less than the smallest group that was left over.
    """
    _, group, size = np.unique(groups, return_inverse=True, return_counts=True)
    side = np.zeros(len(size), dtype=np.int8)
    for held_out, share in ((2, test), (1, validation)):
        room = max(round(share * len(groups)), 1) if share else 0
        free = rng.permutation(np.flatnonzero(side == 0))
        for number, rows in zip(free.tolist(), size[free].tolist(), strict=True):
            if rows <= room:
                side[number], room = held_out, room - rows
    return side[group]


def _lowest(cluster: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    lowest = np.full(cluster.max() + 1, 2, dtype=np.int8)
    np.minimum.at(lowest, cluster, drawn)
    return lowest[cluster]


def _is_text(column: Column) -> bool:
    if isinstance(column, TextColumn) or not len(column):
        return isinstance(column, TextColumn)
    first = column[np.arange(1)]
    return isinstance(first, list) and isinstance(first[0], str)


def _refuse_empty(sides: np.ndarray, pairs: Pairs, shares: tuple[float | int, ...], cause: str) -> None:
    for side, (name, share) in enumerate(zip(SIDES, shares, strict=True)):
        if share > 0 and not (sides == side).any():
            groups = len(np.unique(pairs.groups))
            raise InputError(
                f"{len(pairs):,} pairs in {groups:,} groups leave no {name} pairs because of {cause}: give more or "
                f"more varied pairs, smaller groups, or a larger share for {name}."
            )


def _sentence(rows: list[np.ndarray], moved: Mapping[str, int]) -> str:
    counts = ", ".join(f"{len(side):,} {name}" for name, side in zip(SIDES, rows, strict=True))
    moves = ", ".join(f"{count:,} {move}" for move, count in moved.items() if count)
    return f"{counts}; moved beside their near duplicates: {moves or 'none'}"
