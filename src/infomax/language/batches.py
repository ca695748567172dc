"""Which tokens are in which batch: pure functions of seed, epoch and step, so that a resumed run needs no saved order.

`Streams` reads the corpus in B places at once, each a stretch that goes on from batch to batch: what a network carries
over a batch's end is of the same text (truncated backpropagation through time). `Positions` draws places at random, each
with the words before it. Both take slices of a memory-mapped corpus and hold no more than a few batches of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infomax.errors import InputError

_STRETCH, _POOL = 2**12, 2**10  # positions are shuffled in pools of this many stretches of this many tokens


@dataclass(frozen=True)
class Batch:
    """Attributes:
    tokens: (B, T) int64, each followed by
    targets: (B, T) int64.
    places: (B, T) int64 where in the corpus the tokens stand.
    state: (B, context - 1) int64 words before them, for a network that carries words; None: what was carried.
    """

    tokens: Tensor
    targets: Tensor
    places: np.ndarray
    state: Tensor | None


@dataclass(frozen=True)
class Streams:
    """Args:
    ids: (L,) tokens of a corpus.
    batch_size: B, places that are read at once.
    unroll: T, tokens of each that are in a batch.
    """

    ids: np.ndarray
    batch_size: int
    unroll: int

    def __post_init__(self) -> None:
        _enough(self.ids, self.batch_size)

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return -(-self._length // self.unroll)

    def batch(self, epoch: int, step: int) -> Batch:  # noqa: ARG002, the same in every epoch
        """The step-th batch; the last of an epoch is shorter."""
        start = step * self.unroll
        places = (
            np.arange(start, min(start + self.unroll, self._length))
            + self._length * np.arange(self.batch_size)[:, None]
        )
        return Batch(take(self.ids, places), take(self.ids, places + 1), places, None)

    @property
    def _length(self) -> int:
        return (len(self.ids) - 1) // self.batch_size


@dataclass(frozen=True)
class Positions:
    """Args:
    ids: (L,) tokens of a corpus.
    batch_size: B, places that are in a batch; of each the next token is to be told from `context` words.
    seed: of their order.
    """

    ids: np.ndarray
    batch_size: int
    context: int
    seed: int

    def __post_init__(self) -> None:
        _enough(self.ids, self.batch_size)

    @property
    def steps(self) -> int:
        """Batches of an epoch."""
        return -(-(len(self.ids) - 1) // self.batch_size)

    def batch(self, epoch: int, step: int) -> Batch:
        """The step-th batch of an epoch: (B, 1) tokens with the words before them."""
        wanted = np.arange(step * self.batch_size, min((step + 1) * self.batch_size, len(self.ids) - 1))
        size = _STRETCH * _POOL
        pools = [(wanted[wanted // size == pool] % size, pool) for pool in np.unique(wanted // size).tolist()]
        order = (_shuffled(len(self.ids) - 1, self.seed, epoch, pool)[rows] for rows, pool in pools)
        places = np.concatenate(list(order))[:, None]
        words = take(self.ids, places + np.arange(1 - self.context, 1))
        return Batch(words[:, -1:], take(self.ids, places + 1), places, words[:, :-1])


def take(ids: np.ndarray, places: np.ndarray) -> Tensor:
    """int64 tokens at these places, -1 before the first, in the shape of `places`."""
    found = torch.from_numpy(np.asarray(ids[np.maximum(places, 0)], dtype=np.int64))
    return found.masked_fill_(torch.from_numpy(places < 0), -1)


@lru_cache(maxsize=2)
def _shuffled(n: int, seed: int, epoch: int, pool: int) -> np.ndarray:
    """The `pool`-th part of a shuffle of n positions: stretches are dealt to pools, and each pool is shuffled."""
    stretches = np.random.default_rng([seed, epoch]).permutation(-(-n // _STRETCH))
    short = int(np.flatnonzero(stretches == len(stretches) - 1)[0])  # the last stretch may be shorter: put it last
    stretches[[short, -1]] = stretches[[-1, short]]
    mine = stretches[pool * _POOL : (pool + 1) * _POOL]
    places = (mine[:, None] * _STRETCH + np.arange(_STRETCH)).ravel()
    return np.random.default_rng([seed, epoch, pool + 1]).permutation(places[places < n])


def _enough(ids: Any, batch_size: int) -> None:
    if (len(ids) - 1) // batch_size < 1:
        raise InputError(
            f"The corpus has {len(ids):,} tokens to learn from, too few for batches of {batch_size:,}: lower batch_size, or "
            "give more text."
        )
