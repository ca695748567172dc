"""Batches in which nothing repeats: no two pairs of a batch share an id on either side, so that no negative is a right answer.

Rows are taken in shuffled order, and each goes into the first batch that has room and none of its ids, searched from after the
last batch that took one of them: time O(n) whatever the repeats. An id that occurs r times needs r batches, so where one is
very frequent the last batches are small; those below `least` rows are dropped for the epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch.utils.data import Sampler

from infomax.errors import InputError
from infomax.training.batches import steps_per_epoch


def distinct_batches(ids: Any, batch_size: int, seed: int, epoch: int, *, least: int = 2) -> list[np.ndarray]:
    """Shuffled row numbers, one array a batch: a pure function of its arguments.

    Args:
        ids: (n,) of the pairs; or a tuple of several, of their anchors and of their candidates, each compared with itself alone.
        batch_size: the most rows a batch; without repeats batches are of nearly equal size.
        seed, epoch: what the order depends on.
        least: batches of fewer rows are left out; a batch of one has no negatives.

    >>> tuple(batch.tolist() for batch in distinct_batches(np.array([5, 5, 6, 7]), 2, seed=0, epoch=0))
    ([2, 0], [1, 3])
    """
    columns = [_codes(column) for column in (ids if isinstance(ids, tuple) else (ids,))]
    n = len(columns[0])
    if batch_size < 1 or any(len(column) != n for column in columns):
        raise InputError(
            f"batch_size must be at least 1, and all ids as long; got {batch_size} and {[len(c) for c in columns]}."
        )
    if not n:
        return []
    order = np.random.default_rng([seed, epoch]).permutation(n)
    batch_of = _placed([column[order].tolist() for column in columns], steps_per_epoch(n, batch_size), batch_size)
    by_batch = np.argsort(batch_of, kind="stable")
    batches = np.split(order[by_batch], np.cumsum(np.bincount(batch_of))[:-1])
    return [batch for batch in batches if len(batch) >= least]


def _placed(columns: list[list[int]], steps: int, most: int) -> np.ndarray:
    """(n,) the batch of each row, in order; `steps` batches of nearly equal size, further ones as ids that repeat need them."""
    least, larger = divmod(len(columns[0]), steps)
    after = [[0] * (max(column) + 1) for column in columns]  # the first batch that may take an id
    sizes: list[int] = []
    onward: list[int] = []  # a batch that has room, or where to look for one
    placed = np.empty(len(columns[0]), dtype=np.int64)
    for row, codes in enumerate(zip(*columns, strict=True)):
        batch = max(free[code] for free, code in zip(after, codes, strict=True))
        path = []
        while batch < len(sizes) and sizes[batch] == min(most, least + (batch < larger or batch >= steps)):
            path.append(batch)
            batch = onward[batch]
        for full in path:
            onward[full] = batch
        while batch >= len(sizes):
            sizes.append(0)
            onward.append(len(sizes))
        sizes[batch] += 1
        placed[row] = batch
        for free, code in zip(after, codes, strict=True):
            free[code] = batch + 1
    return placed


def _codes(ids: Any) -> np.ndarray:
    ids = np.asarray(ids)
    if ids.ndim != 1:
        raise InputError(f"ids must be vectors, one entry a pair; got shape {ids.shape}.")
    return np.unique(ids, return_inverse=True)[1]


class DistinctBatches(Sampler[list[int]]):
    """`distinct_batches` for `torch.utils.data.DataLoader(pairs, batch_sampler=...)`; call `set_epoch` before each epoch.

    >>> sampler = DistinctBatches(([1, 1, 2, 3], [4, 5, 5, 6]), batch_size=2)
    >>> list(sampler), len(sampler)
    ([[2, 0], [1, 3]], 2)
    """

    def __init__(self, ids: Any, batch_size: int, *, seed: int = 0, least: int = 2) -> None:
        self.ids, self.batch_size, self.seed, self.least = ids, batch_size, seed, least
        self.set_epoch(0)

    def set_epoch(self, epoch: int) -> None:
        """Shuffle anew: the order depends on seed and epoch alone, so a resumed run goes on with the same batches."""
        self.epoch = epoch
        self._batches = distinct_batches(self.ids, self.batch_size, self.seed, epoch, least=self.least)

    def __iter__(self) -> Iterator[list[int]]:
        return (batch.tolist() for batch in self._batches)

    def __len__(self) -> int:
        return len(self._batches)
