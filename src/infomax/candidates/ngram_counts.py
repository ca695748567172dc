"""One order of interpolated Kneser-Ney: sorted counts of (context, word), and the law of one step of its recursion,

    P_m(w | h) = (max(c(h w) - D, 0) + D · kinds(h) · P_{m-1}(w | h')) / c(h),      h' = h without its oldest word,

kinds(h) being the number of different words seen after h. The highest order counts occurrences; a lower one counts how many
different words stand before (h w), which is the number of kinds of (v h w) one order up.

Contexts form a trie from the latest word back: a context is the rank of h' and one older word, so a key is a rank times V plus
a class and stays within int64 whatever the order. What stands before the first token is the class -1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infomax.errors import InputError


@dataclass(frozen=True)
class Level:
    """The counts after C contexts of one length, P pairs of context and word; all int64 but the discount.

    Attributes:
        classes: V.
        discount: D, in (0, 1].
        contexts: (C,) rising keys: rank of the shorter context · (V + 1) + older word + 1. A context's rank is its place.
        pairs: (P,) rising keys: rank of the context · V + word.
        starts: (C + 1,) the pairs of context r are starts[r] to starts[r + 1].
        ends: (P + 1,) cumulative counts of the pairs, from 0.
    """

    classes: int
    discount: float
    contexts: Tensor
    pairs: Tensor
    starts: Tensor
    ends: Tensor

    def rank(self, shorter: Tensor, older: Tensor) -> Tensor:
        """(N,) ranks of the contexts (shorter context, older word); -1 where one was not seen, or holds a word -1."""
        place, seen = _find(self.contexts, shorter * (self.classes + 1) + older + 1)
        return torch.where(seen & (older >= 0), place, -1)  # after a shorter one of rank -1 a key is below 0: not seen

    def interpolate(self, ranks: Tensor, words: Tensor, lower: Tensor) -> Tensor:
        """(N, k) probabilities of words after contexts, given those of the order below; contexts not seen keep these."""
        at = ranks.clamp(min=0)
        total, kinds = self._sizes(at)
        pair, seen = _find(self.pairs, at[:, None] * self.classes + words)
        counts = torch.where(seen, self.ends[pair + 1] - self.ends[pair], 0).double()
        here = ((counts - self.discount).clamp(min=0) + self.discount * (kinds[:, None] * lower)) / total[:, None]
        return torch.where(ranks[:, None] >= 0, here, lower)

    def interpolate_all(self, ranks: Tensor, lower: Tensor) -> Tensor:
        """`interpolate` for all words, in place of `lower` (N, V): walks over the pairs that were seen, and seeks none."""
        rows = (ranks >= 0).nonzero().squeeze(1)
        at = ranks[rows]
        total, kinds = self._sizes(at)
        left = torch.ones(len(ranks), dtype=torch.float64)
        left[rows] = self.discount * kinds.double() / total
        lower *= left[:, None]
        of = torch.repeat_interleave(kinds)  # which of `rows`, pair by pair
        pair = torch.arange(len(of)) + (self.starts[at] - (kinds.cumsum(0) - kinds))[of]
        counts = (self.ends[pair + 1] - self.ends[pair]).double()
        lower[rows[of], self.pairs[pair] - at[of] * self.classes] += (counts - self.discount) / total[of]
        return lower

    def draw(self, ranks: Tensor, coin: Tensor) -> tuple[Tensor, Tensor]:
        """Words after contexts that were seen, and which of them are to be drawn anew from the order below.

        A coin in [0, 1) points into the context's total; each word covers its count, of which the first D belong to the order
        below.
        """
        first = self.ends[self.starts[ranks]]
        point = coin * self._sizes(ranks)[0]
        pair = torch.searchsorted(self.ends, first + point.long(), right=True) - 1
        backs_off = point - (self.ends[pair] - first) < self.discount
        return self.pairs[pair] - ranks * self.classes, backs_off

    def holds_together(self, shorter: Level | None) -> bool:
        """Whether the tables fit each other and those of the order below: a check of what was read from a file."""
        tables = (self.contexts, self.pairs, self.starts, self.ends)
        return (
            0 < self.discount <= 1
            and all(t.dtype == torch.int64 and t.ndim == 1 and len(t) and bool((t.diff() > 0).all()) for t in tables)
            and (len(self.starts), len(self.ends)) == (len(self.contexts) + 1, len(self.pairs) + 1)
            and (int(self.starts[0]), int(self.starts[-1]), int(self.ends[0])) == (0, len(self.pairs), 0)
            and torch.equal(self.pairs // self.classes, torch.repeat_interleave(self.starts.diff()))
            and 0 <= int(self.contexts[0])
            and int(self.contexts[-1]) // (self.classes + 1) < (1 if shorter is None else len(shorter.contexts))
            and (shorter is not None or len(self.contexts) == 1)
        )

    def _sizes(self, ranks: Tensor) -> tuple[Tensor, Tensor]:
        """Total count, and number of different words, after each context."""
        low, high = self.starts[ranks], self.starts[ranks + 1]
        return self.ends[high] - self.ends[low], high - low


def stream(tokens: Any, classes: int) -> np.ndarray:
    """(T,) int64 classes, at least one."""
    text = np.asarray(tokens.cpu() if isinstance(tokens, Tensor) else tokens)
    if text.ndim != 1 or not text.size:
        raise InputError(f"expected a text as a vector of classes, at least one; got shape {text.shape}.")
    if text.dtype.kind not in "iu":
        raise InputError(f"a text must be integers, classes from 0 to {classes - 1}; got {text.dtype}.")
    low, high = int(text.min()), int(text.max())
    if low < 0 or high >= classes:
        raise InputError(f"the text's classes must lie from 0 to {classes - 1}; got {low} to {high}.")
    if text.size * (classes + 1) >= 2**63:
        raise InputError(
            f"{text.size} tokens of {classes} classes are too many to be numbered: tokens · V < 2⁶³ is needed."
        )
    return text.astype(np.int64)


def count_levels(tokens: np.ndarray, classes: int, order: int) -> list[Level]:
    """The levels of contexts of 0 to order - 1 words; discounts are n₁ / (n₁ + 2 n₂), and 1/2 where nothing was seen once."""
    contexts, rank = [np.zeros(1, dtype=np.int64)], np.zeros(len(tokens), dtype=np.int64)
    for back in range(1, order):
        older = np.zeros(len(tokens), dtype=np.int64)
        older[back:] = tokens[:-back] + np.int64(1)
        keys, rank = np.unique(rank * (classes + 1) + older, return_inverse=True)
        contexts.append(keys)
    pairs, counts = np.unique(rank * classes + tokens, return_counts=True)
    levels = [_level(classes, contexts[-1], pairs, counts)]
    for longer, shorter in zip(contexts[:0:-1], contexts[-2::-1], strict=True):
        rank, words = np.divmod(pairs, classes)
        pairs, counts = np.unique(longer[rank] // (classes + 1) * classes + words, return_counts=True)
        levels.append(_level(classes, shorter, pairs, counts))
    return levels[::-1]


def _level(classes: int, contexts: np.ndarray, pairs: np.ndarray, counts: np.ndarray) -> Level:
    once, twice = int((counts == 1).sum()), int((counts == 2).sum())
    discount = once / (once + 2 * twice) if once else 0.5
    starts = np.searchsorted(pairs, np.arange(len(contexts) + 1) * classes)
    ends = np.concatenate([[0], np.cumsum(counts)])
    return Level(classes, discount, *(torch.from_numpy(a.astype(np.int64)) for a in (contexts, pairs, starts, ends)))


def _find(rising: Tensor, keys: Tensor) -> tuple[Tensor, Tensor]:
    """Where the keys stand, and whether they do."""
    place = torch.searchsorted(rising, keys).clamp(max=len(rising) - 1)
    return place, rising[place] == keys
