"""Tokenised text: flat arrays, so that a batch is a slice and a column larger than memory is a file.

A text is a bag of token ids. n texts are one flat int32 array of all their ids and n + 1 offsets: text i owns
`ids[offsets[i]:offsets[i + 1]]`. Nothing is padded.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Tokens:
    """A batch of n tokenised texts: `ids` (t,) int32 and `offsets` (n + 1,) int64, both torch tensors."""

    ids: torch.Tensor
    offsets: torch.Tensor

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def to(self, device: torch.device | str) -> Tokens:
        return Tokens(self.ids.to(device), self.offsets.to(device))

    @classmethod
    def joined(cls, batches: Sequence[Tokens]) -> Tokens:
        """One batch of all texts, those of the first batch first."""
        ends = np.cumsum([0, *(len(batch.ids) for batch in batches)]).tolist()
        offsets = [batch.offsets[:-1] + end for batch, end in zip(batches, ends, strict=False)]
        ids = torch.cat([batch.ids for batch in batches])
        return cls(ids, torch.cat([*offsets, offsets[0].new_tensor(ends[-1:])]))

    @classmethod
    def from_arrays(cls, ids: np.ndarray, lengths: np.ndarray) -> Tokens:
        """Tokens of texts that own `lengths` (n,) ids each, in order."""
        return cls(torch.from_numpy(ids.astype(np.int32, copy=False)), torch.from_numpy(_offsets(lengths)))


@dataclass(frozen=True)
class TokenColumn:
    """A whole text column, tokenised once. Indexing with (b,) row numbers gives the `Tokens` of those rows.

    Attributes:
        ids: (t,) int32, an array or a memory map.
        offsets: (n + 1,) int64.
    """

    ids: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: np.ndarray | Sequence[int] | slice) -> Tokens:
        if isinstance(rows, slice):
            rows = np.arange(len(self))[rows]
        chosen = np.asarray(rows, dtype=np.int64)
        starts, lengths = self.offsets[:-1][chosen], np.diff(self.offsets)[chosen]
        ends = np.cumsum(lengths)
        # Position p of the batch belongs to the text whose end comes next; shift each run to where its text starts.
        where = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - lengths), lengths)
        return Tokens.from_arrays(np.asarray(self.ids[where], dtype=np.int32), lengths)

    def lengths(self, rows: np.ndarray) -> np.ndarray:
        """(b,) tokens of each of these texts."""
        return self.offsets[1:][rows] - self.offsets[:-1][rows]

    def counts(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """How often each of `size` ids occurs, and in how many texts: two (size,) int64 arrays."""
        occurrences, texts = np.zeros(size, np.int64), np.zeros(size, np.int64)
        for start in range(0, len(self), 8192):
            offsets = self.offsets[start : start + 8193]
            ids = np.asarray(self.ids[offsets[0] : offsets[-1]], dtype=np.int64)
            rows = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
            occurrences += np.bincount(ids, minlength=size)
            texts += np.bincount(np.unique(rows * size + ids) % size, minlength=size)
        return occurrences, texts


def token_column(blocks: Iterable[tuple[np.ndarray, np.ndarray]], *, memory: int = 2**28) -> TokenColumn:
    """Join (ids, lengths) blocks into one column; beyond `memory` bytes the ids live in an unnamed temporary file."""
    kept: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    held, file = 0, None
    for ids, counts in blocks:
        lengths.append(counts)
        kept.append(ids.astype(np.int32, copy=False))
        held += ids.size * 4
        if held > memory:
            file = file or tempfile.TemporaryFile(prefix="infomax-tokens-")  # noqa: SIM115  the map keeps it open
            for block in kept:
                block.tofile(file)
            held, kept = 0, []
    if file is not None:
        for block in kept:
            block.tofile(file)
        file.flush()
        joined: np.ndarray = np.memmap(file, dtype=np.int32, mode="r")
    else:
        joined = np.concatenate(kept) if kept else np.empty(0, np.int32)
    return TokenColumn(joined, _offsets(np.concatenate(lengths) if lengths else np.empty(0, np.int64)))


def _offsets(lengths: np.ndarray) -> np.ndarray:
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets
