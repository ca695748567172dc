"""Which texts of a source go to which side: whole parts are drawn, or a side is a source of its own."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infomax.data.texts import Texts, open_texts
from infomax.errors import InputError

SPLITS = ("train", "validation", "test")
_SHARE = 0.1  # of the source, where nothing else is said


@dataclass(frozen=True)
class Side:
    """The texts of a source whose parts are drawn to one side."""

    texts: Texts | None
    parts: np.ndarray

    @property
    def key(self) -> list[Any]:
        return [self.texts.stamp, self.parts.tolist()] if self.texts else []

    def blocks(self) -> Iterator[list[str]]:
        mine = set(self.parts.tolist())
        if self.texts is not None:
            yield from (texts for part, texts in self.texts.blocks() if part in mine)


def split_source(source: Any, validation: Any, test: Any, reading: dict[str, Any], seed: int) -> list[Side]:
    """Train, validation and test: parts of the source, or sources of their own."""
    own = [value if _is_path(value) else None for value in (validation, test)]
    default = 0.0 if any(own) else _SHARE
    shares = [
        0.0 if path else default if value is None else value
        for value, path in zip((validation, test), own, strict=True)
    ]
    for name, share in zip(SPLITS[1:], shares, strict=True):
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share < 1:
            raise InputError(f"{name}={share!r} is no share of the corpus: give a number from 0 up to 1, or a file.")
    if sum(shares) >= 1:
        raise InputError(
            f"validation={shares[0]} and test={shares[1]} leave nothing to train on: their sum must be below 1."
        )
    texts = open_texts(source, **reading)
    if not texts.sizes.sum():
        raise InputError(f"{source} holds no text: give a file with some words.")
    drawn = _draw(texts.sizes, shares, np.random.default_rng(seed))
    for name, share, side in zip(SPLITS, (1.0, *shares), range(3), strict=True):
        if share and not texts.sizes[drawn == side].any():
            raise InputError(
                f"{source} has too few texts ({len(drawn):,}) for a {name} part: give more, or a file by {name}=, or {name}=0."
            )
    sides = [Side(texts, np.flatnonzero(drawn == side)) for side in range(3)]
    for side, path in enumerate(own, start=1):
        if path is not None:
            other = open_texts(path, **reading)
            sides[side] = Side(other, np.arange(len(other.sizes)))
    return sides


def _is_path(value: Any) -> bool:
    return isinstance(value, str | os.PathLike)


def _draw(sizes: np.ndarray, shares: Sequence[float | int], rng: np.random.Generator) -> np.ndarray:
    """(parts,) the side of each part: in random order, the first that fit in a share are taken, one at least."""
    side = np.zeros(len(sizes), dtype=np.int8)
    order = rng.permutation(np.flatnonzero(sizes))
    for held_out, share in ((2, shares[1]), (1, shares[0])):
        room = share * sizes.sum()
        for part in order[side[order] == 0].tolist():
            taken = (side == held_out).any()
            if share and (sizes[part] <= room or not taken) and (side[order] == 0).sum() > 1:
                side[part], room = held_out, room - sizes[part]
    return side
