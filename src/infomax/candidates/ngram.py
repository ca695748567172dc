"""`NGram`: interpolated Kneser-Ney, a language model by counting, and noise that knows the words before.

Noise near the data tells more a draw than noise that is far: with the law of an n-gram model a draw is already plausible after
its context. Its log q is exact, normalised for every context, and above 0 for every class, as the lowest order is interpolated
with the uniform law; so the sampled objectives are as consistent with it as with a fixed law, each context with its own draws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import log
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from infomax.candidates.checks import class_count, class_ids, draw_count, order_count
from infomax.candidates.drawn import Drawn
from infomax.candidates.ngram_counts import Level, count_levels, stream
from infomax.errors import InputError

_TABLES = ("contexts", "pairs", "starts", "ends")


class NGram:
    """Interpolated Kneser-Ney with one discount an order. Made by `NGram.fit`.

    Contexts are (N, order - 1) int64 classes in the order of the text, latest last. At an entry -1 (unknown, or before the
    start) or at words never seen together the context ends: what is later than it counts.

    Attributes:
        classes: V.
        order: n; order 1 is a smoothed unigram law.
        discounts: of each order, from 1 to n.

    Sources: Kneser & Ney 1995; Chen & Goodman 1999, doi:10.1006/csla.1999.0128 (interpolated, and the discount).

    >>> ngram = NGram.fit([0, 1, 2, 0, 1, 3, 0, 1, 2], classes=5, order=2)
    >>> ngram.log_probs(torch.tensor([[1], [-1]])).exp()  # after class 1, and after a word that is not known
    tensor([[0.2074, 0.0593, 0.5037, 0.1704, 0.0593],
            [0.4667, 0.1333, 0.1333, 0.1333, 0.1333]], dtype=torch.float64)
    >>> ngram.draw(3, torch.Generator().manual_seed(0), torch.tensor([[1]])).ids
    tensor([[3, 2, 2]])
    """

    hits: Literal["kept"] = "kept"

    def __init__(self, levels: Sequence[Level]) -> None:
        self._levels = tuple(levels)
        self.classes, self.order = levels[0].classes, len(levels)

    @property
    def discounts(self) -> tuple[float, ...]:
        return tuple(level.discount for level in self._levels)

    @classmethod
    def fit(cls, tokens: Any, classes: Any, order: Any = 3, discounts: Any = None) -> NGram:
        """Counts a text: sorts, in memory that grows with T and not with V.

        Args:
            tokens: (T,) integer array, memmap or tensor of classes 0 to V - 1; one stream, with its ends of sentence in it.
            classes: V.
            order: n, the length of the n-grams.
            discounts: of each order from 1 to n, in (0, 1]; by default n₁ / (n₁ + 2 n₂), n_i being the number of n-grams
                that were counted i times, or 1/2 where none was counted once.

        Raises:
            InputError: no tokens, or not a vector of integers from 0 to V - 1; order below 1; discounts that do not fit.

        A peak of about 100 bytes a token, 30 of which stay (order 3): count a part of a corpus that is larger than memory.
        """
        classes, order = class_count(classes), order_count(order)
        levels = count_levels(stream(tokens, classes), classes, order)
        if discounts is not None:
            if np.shape(discounts) != (order,) or not all(0 < d <= 1 for d in discounts):
                raise InputError(
                    f"discounts must be {order} numbers above 0, at most 1, one an order; got {discounts}."
                )
            levels = [replace(level, discount=float(d)) for level, d in zip(levels, discounts, strict=True)]
        return cls(levels)

    def log_prob(self, contexts: Any, targets: Any) -> Tensor:
        """float64 log q(target | context), in nats, in the shape of targets: (N,), or (N, k), k for each context."""
        ranks = self._ranks(contexts)
        ids = class_ids(targets, self.classes).cpu()
        if ids.ndim not in (1, 2) or len(ids) != len(contexts):
            raise InputError(f"targets must be ({len(contexts)},) or ({len(contexts)}, k); got {tuple(ids.shape)}.")
        return self._log_prob(ranks, ids[:, None] if ids.ndim == 1 else ids).reshape(ids.shape).to(targets.device)

    def log_probs(self, contexts: Any) -> Tensor:
        """(N, V) float64 log q of every class after each context."""
        ranks = self._ranks(contexts)
        p = torch.full((len(contexts), self.classes), 1 / self.classes, dtype=torch.float64)
        for level, rank in zip(self._levels, ranks, strict=True):
            p = level.interpolate_all(rank, p)
        return p.log_().to(contexts.device)

    def log_expected(self, ids: Any, k: int, contexts: Any) -> Tensor:
        """float64, shape of ids, (N,) or (N, k): log of the expected count of each among k draws after its context."""
        return self.log_prob(contexts, ids) + log(draw_count(k))

    def draw(self, k: int, rng: torch.Generator, contexts: Any) -> Drawn:
        """(N, k) ids, k independent draws after each context."""
        draws, ranks = draw_count(k), self._ranks(contexts)
        ids = torch.empty(len(contexts) * draws, dtype=torch.int64)
        left = torch.arange(len(ids))  # draws that no order has settled
        for level, rank in zip(reversed(self._levels), reversed(ranks), strict=True):
            seen = rank[left // draws] >= 0
            here = left[seen]
            words, backs_off = level.draw(rank[here // draws], _coins(len(here), rng))
            ids[here] = words
            left = torch.cat([left[~seen], here[backs_off]])
        ids[left] = torch.randint(self.classes, (len(left),), generator=rng, device=rng.device).cpu()
        ids = ids.reshape(-1, draws)
        expected = self._log_prob(ranks, ids) + log(draws)
        return Drawn(ids.to(contexts.device), expected.to(contexts.device), "kept", float(draws))

    def contexts(self, tokens: Tensor) -> Tensor:
        """(..., T, order - 1) the words before each of (..., T) tokens, -1 before the first."""
        tokens, backs, size = tokens.long(), range(self.order - 1, 0, -1), tokens.shape[-1]
        before = [torch.nn.functional.pad(tokens, (back, 0), value=-1)[..., :size] for back in backs]
        return torch.stack(before, -1) if before else tokens.new_empty(*tokens.shape, 0)

    def state(self) -> dict[str, np.ndarray]:
        """All that was counted, as arrays: for safetensors, or `numpy.savez`."""
        tables = {
            f"{m}.{name}": getattr(level, name).numpy() for m, level in enumerate(self._levels) for name in _TABLES
        }
        return {"classes": np.array([self.classes]), "discounts": np.array(self.discounts), **tables}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> NGram:
        """The model whose `state` it is.

        Raises:
            InputError: arrays are missing, or do not fit each other.
        """
        try:
            classes, discounts = class_count(int(state["classes"][0])), [float(d) for d in state["discounts"]]
            levels = [
                Level(classes, d, *(torch.as_tensor(state[f"{m}.{name}"]) for name in _TABLES))
                for m, d in enumerate(discounts)
            ]
            order_count(len(levels))
            if not all(level.holds_together(below) for level, below in zip(levels, [None, *levels], strict=False)):
                raise ValueError("its tables do not fit each other")
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            raise InputError(f"this is not the state of an n-gram model ({error!r}): fit it anew.") from error
        return cls(levels)

    def _ranks(self, contexts: Any) -> list[Tensor]:
        """(N,) ranks of each context's last 0, 1, ..., n - 1 words in their levels, -1 where not seen."""
        words = self._checked(contexts)
        ranks = [torch.zeros(len(words), dtype=torch.int64)]
        for back, level in enumerate(self._levels[1:], 1):
            ranks.append(level.rank(ranks[-1], words[:, -back]))
        return ranks

    def _checked(self, contexts: Any) -> Tensor:
        if not isinstance(contexts, Tensor) or contexts.is_floating_point() or contexts.shape[1:] != (self.order - 1,):
            tensor = isinstance(contexts, Tensor)
            came = f"{contexts.dtype} {tuple(contexts.shape)}" if tensor else type(contexts).__name__
            raise InputError(f"contexts must be an integer tensor (N, {self.order - 1}), latest word last; got {came}.")
        words = contexts.cpu().long()
        class_ids(words.clamp(min=0), self.classes)
        if words.numel() and int(words.min()) < -1:
            raise InputError(f"contexts hold classes, or -1 for what is not known; got {int(words.min())}.")
        return words

    def _log_prob(self, ranks: list[Tensor], words: Tensor) -> Tensor:
        p = torch.full(words.shape, 1 / self.classes, dtype=torch.float64)
        for level, rank in zip(self._levels, ranks, strict=True):
            p = level.interpolate(rank, words, p)
        return p.log_()

    def __repr__(self) -> str:
        return f"NGram(classes={self.classes}, order={self.order})"


def _coins(n: int, rng: torch.Generator) -> Tensor:
    return torch.rand(n, generator=rng, dtype=torch.float64, device=rng.device).cpu()
