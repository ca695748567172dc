"""The face of every language model here: score texts, generate, evaluate, save. Perplexities are exact, always."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import exp
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infomax.errors import InputError
from infomax.language.vocabulary import Vocabulary
from infomax.training.settings import check_seed
from infomax.unnormalised import ExactReading

_AT_ONCE = 2**14  # tokens of texts that are scored together


@dataclass(frozen=True)
class TextScores:
    """How well a model tells each of n texts.

    Attributes:
        nats: (n,) float64, -log p of the text and its end, exactly normalised.
        tokens: (n,) int64 that this is a sum over, the end included.
        unknown: (n,) int64 of them are outside the vocabulary: their share of `nats` is of the token <unk>, not of the word.
    """

    nats: np.ndarray
    tokens: np.ndarray
    unknown: np.ndarray

    @property
    def perplexity(self) -> float:
        """exp of the mean nats a token, over all texts."""
        return exp(min(float(self.nats.sum() / self.tokens.sum()), 700.0))


class TextModel(ABC):
    """A law of the next token after any tokens, over the tokens of `vocabulary`."""

    vocabulary: Vocabulary

    @abstractmethod
    def evaluate(self, ids: Any, streams: int = 1) -> ExactReading:
        """Exact cross-entropy and perplexity of a stream of tokens, and mean and spread of log Z over their contexts.

        Args:
            ids: (L,) integer tokens, all of which are told, the first as after the end of a text. Read in pieces: may be
                memory-mapped.
            streams: stretches that are read at once, each from an empty memory. 1 is the plain definition; more are faster.

        Raises:
            InputError: no tokens, or tokens outside the vocabulary.
        """

    @abstractmethod
    def save(self, folder: str | Path) -> None:
        """Write `config.json`, `model.safetensors` and `tokenizer.json`, each the old file or the new one.

        Raises:
            InfomaxError: the disk is full or cannot be written.
        """

    @abstractmethod
    def _nats(self, tokens: Tensor) -> Tensor:
        """(n, T) float64 exact -log p of tokens[:, 1:] (n, T + 1), each text from an empty memory; 0 where a token is -100."""

    @abstractmethod
    def _next(self, tokens: list[int], state: Any) -> tuple[Tensor, Any]:
        """(V,) float64 log p of the token after `tokens`, which follow `state`; and the state after them."""

    def score(self, texts: Any) -> TextScores:
        """-log p of each of a list of texts, in nats, ends included; each stands by itself.

        Raises:
            InputError: no texts, or what is no list of them.
        """
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise InputError("texts must be a list of strings, a text each: put a single one into a list.")
        if not len(texts):
            raise InputError("There are no texts to score: give at least one.")
        end, unknown = self.vocabulary.end, self.vocabulary.unknown
        rows = [[end, *self.vocabulary.encode(text).tolist(), end] for text in texts]
        nats = np.zeros(len(rows))
        for group in _alike(rows):
            nats[group] = self._nats(_padded([rows[i] for i in group])).sum(1).numpy()
        lengths = np.array([len(row) - 1 for row in rows])
        return TextScores(nats, lengths, np.array([row.count(unknown) if unknown is not None else 0 for row in rows]))

    def generate(
        self,
        prompt: str = "",
        tokens: int = 50,
        temperature: int | float = 1.0,
        top_k: int | None = None,
        seed: int = 0,
    ) -> str:
        """What follows the prompt: at most `tokens` tokens, fewer where the model ends the text.

        Args:
            temperature: 1 draws from the model's law, less makes it surer, 0 takes the likeliest token each time.
            top_k: draw only among so many of the likeliest.
            seed: of the draws: the same seed, the same text.

        Raises:
            InputError: settings that cannot be right.
        """
        size, end = self.vocabulary.size, self.vocabulary.end
        if not isinstance(tokens, int) or tokens < 1:
            raise InputError(f"tokens must be a whole number of at least 1, got {tokens!r}.")
        if not 0 <= temperature < float("inf"):
            raise InputError(f"temperature must be a number from 0 up, got {temperature}.")
        if top_k is not None and not 1 <= top_k <= size:
            raise InputError(f"top_k must lie from 1 to the vocabulary's {size:,} tokens, got {top_k}.")
        check_seed(seed)
        rng = torch.Generator().manual_seed(seed)
        told: list[int] = []
        state, new = None, [end, *self.vocabulary.encode(prompt).tolist()]
        while len(told) < tokens and (not told or told[-1] != end):
            log_p, state = self._next(new, state)
            new = [_draw(log_p, temperature, top_k, rng)]
            told += new
        return self.vocabulary.decode(told[:-1] if told[-1] == end else told)


def checked_ids(ids: Any, classes: int) -> np.ndarray:
    """(L,) integers, each a token of the vocabulary, as they are.

    Raises:
        InputError: none, not integers, not a vector, or out of range.
    """
    ids = ids.cpu().numpy() if isinstance(ids, Tensor) else np.asanyarray(ids)
    if ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise InputError(
            f"Tokens must be a vector of integers, got {ids.dtype} {ids.shape}; `Vocabulary.encode` gives one."
        )
    if not len(ids):
        raise InputError("There are no tokens to read: the text is empty.")
    if int(ids.min()) < 0 or int(ids.max()) >= classes:
        raise InputError(
            f"Tokens must lie from 0 to {classes - 1:,}, got {int(ids.min()):,} to {int(ids.max()):,}: encode the text with the "
            "model's own vocabulary."
        )
    return ids


def _alike(rows: list[list[int]]) -> list[list[int]]:
    """Numbers of texts, in groups of like length that fit in memory."""
    groups: list[list[int]] = []
    for i in sorted(range(len(rows)), key=lambda i: len(rows[i])):
        if not groups or len(rows[i]) * (len(groups[-1]) + 1) > _AT_ONCE:
            groups.append([])
        groups[-1].append(i)
    return groups


def _padded(rows: list[list[int]]) -> Tensor:
    longest = max(map(len, rows))
    return torch.tensor([row + [-100] * (longest - len(row)) for row in rows])


def _draw(log_p: Tensor, temperature: int | float, top_k: int | None, rng: torch.Generator) -> int:
    values, classes = log_p.sort(descending=True, stable=True)
    if temperature == 0:
        return int(classes[0])
    values = (values[:top_k] - values[0]) / temperature
    return int(classes[torch.multinomial(values.exp(), 1, generator=rng)])
