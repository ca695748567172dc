"""A queue of older keys: candidates of batches gone by, as many as are wanted, at no cost in encoding.

Keys are put in batch by batch and the oldest leave. They were encoded by an older encoder, so a queue goes with an encoder that
changes slowly (`encoders.Momentum`); `ages` says by how many batches each is old. No loss against a queue is a bound on
information. Source: He et al. 2020 (MoCo), arXiv:1911.05722, section 3.2, which fills the queue with random vectors at first;
here it is empty at first and grows.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from infomax.errors import InputError
from infomax.scores import Scores
from infomax.scores.checks import is_whole
from infomax.scores.gather import gather

NO_ID = torch.iinfo(torch.int64).min  # marks a key that came without an id


class Queue(nn.Module):
    """The last `size` keys of `width` numbers, their ids and ages: buffers, so they move, save and resume with a module.

    Args:
        size: how many keys at most.
        width: d, the length of a key.
        gathered: where `torch.distributed` is initialised, each `enqueue` takes the keys of all ranks, in the order of the
            ranks; every rank must call it, be it with no rows, and all then hold the same queue.
        dtype: what keys are kept in.

    >>> queue = Queue(3, 2)
    >>> queue.enqueue(torch.eye(2), ids=torch.tensor([7, 8]))
    >>> queue.enqueue(torch.ones(2, 2))
    >>> len(queue), queue.ages, queue.ids == NO_ID
    (3, tensor([0, 1, 0]), tensor([ True, False,  True]))
    """

    _keys: Tensor
    _ids: Tensor
    _born: Tensor
    _counts: Tensor

    def __init__(self, size: Any, width: Any, *, gathered: bool = False, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        for name, value in (("size", size), ("width", width)):
            if not (is_whole(value) and value >= 1):
                raise InputError(f"{name} of a queue must be a whole number of at least 1; got {value!r}.")
        self.size, self.width, self.gathered = size, width, gathered
        self.register_buffer("_keys", torch.zeros(size, width, dtype=dtype))
        self.register_buffer("_ids", torch.full((size,), NO_ID))
        self.register_buffer("_born", torch.zeros(size, dtype=torch.int64))
        self.register_buffer("_counts", torch.zeros(2, dtype=torch.int64))  # keys, and batches, put in so far

    def __len__(self) -> int:
        return min(self.size, int(self._counts[0]))

    @property
    def keys(self) -> Tensor:
        """(n, d) a copy of the keys, which a later `enqueue` does not change; in no order of age."""
        return self._keys[: len(self)].clone()

    @property
    def ids(self) -> Tensor:
        """(n,) int64; NO_ID where none was given."""
        return self._ids[: len(self)].clone()

    @property
    def ages(self) -> Tensor:
        """(n,) int64: how many batches were put in since."""
        return self._counts[1] - self._born[: len(self)]

    @torch.no_grad()
    def enqueue(self, keys: Any, ids: Any = None) -> None:
        """Put in a batch of keys (b, d), any b, without their gradient; and their ids (b,), int64.

        Raises:
            InputError: keys or ids of another shape, NaN or infinity.
        """
        keys, ids = self._checked(keys, ids)
        if self.gathered:
            keys, ids = gather(keys), gather(ids)
        if not bool(torch.isfinite(keys).all()):
            raise InputError("keys hold NaN or infinity, which would stay in the queue: check the encoder's output.")
        before, batches = self._counts.tolist()
        kept = min(len(keys), self.size)
        slots = torch.arange(before + len(keys) - kept, before + len(keys), device=keys.device) % self.size
        self._keys[slots], self._ids[slots] = keys[len(keys) - kept :], ids[len(keys) - kept :]
        self._born[slots] = batches + 1
        self._counts += torch.tensor([len(keys), 1], device=self._counts.device)

    def scores(
        self, anchors: Any, keys: Any, *, ids: Any = None, in_batch: bool = True, temperature: Any = 1.0, **options: Any
    ) -> Scores:
        """Scores of the anchors (N, d) against their keys (N, d), row i true with row i, and the queue.

        Args:
            ids: (N,) int64; keys of the batch and of the queue with a row's id are left out of its candidates.
            in_batch: whether the other keys of the batch are candidates too; without them, as in MoCo, a row has its own key
                and the queue.
            temperature, options: of `Scores`.

        >>> queue = Queue(8, 2)
        >>> queue.enqueue(torch.eye(2))
        >>> queue.scores(torch.eye(2), torch.eye(2), in_batch=False).counts()
        tensor([3, 3])
        """
        for name, value in (("anchors", anchors), ("keys", keys)):
            if not isinstance(value, Tensor) or value.ndim != 2 or value.shape[1] != self.width:
                came = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise InputError(f"{name} must be a tensor (N, {self.width}), as the queue is wide; got {came}.")
        older = self.keys.to(anchors.dtype)
        candidates = torch.cat([keys, older]) if in_batch else older
        if not in_batch:
            options["positives"] = keys
        if ids is not None:
            ids = self._checked_ids(ids, len(anchors))
            options["anchor_ids"] = ids
            options["candidate_ids"] = torch.cat([ids, self.ids]) if in_batch else self.ids
        return Scores(anchors, candidates, temperature=temperature, **options)

    def _checked(self, keys: Any, ids: Any) -> tuple[Tensor, Tensor]:
        if (
            not isinstance(keys, Tensor)
            or keys.ndim != 2
            or keys.shape[1] != self.width
            or not keys.is_floating_point()
        ):
            came = f"{keys.dtype} {tuple(keys.shape)}" if isinstance(keys, Tensor) else type(keys).__name__
            raise InputError(
                f"keys must be a floating point tensor (b, {self.width}), as the queue is wide; got {came}."
            )
        keys = keys.detach().to(self._keys)
        if ids is None:
            return keys, torch.full((len(keys),), NO_ID, device=keys.device)
        return keys, self._checked_ids(ids, len(keys))

    def _checked_ids(self, ids: Any, rows: int) -> Tensor:
        ids = torch.as_tensor(ids, device=self._ids.device)
        if ids.shape != (rows,) or ids.is_floating_point() or bool((ids == NO_ID).any()):
            raise InputError(
                f"ids must be int64 of shape ({rows},), none the least of all; got {ids.dtype} {tuple(ids.shape)}."
            )
        return ids.long()

    def extra_repr(self) -> str:
        return f"{self.size} keys of {self.width}, {len(self)} there" + (", gathered" if self.gathered else "")
