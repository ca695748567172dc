"""A language model by counting: interpolated Kneser-Ney, the baseline that a network has to beat."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infomax.candidates import NGram
from infomax.language.batches import take
from infomax.language.exact import reading, together
from infomax.language.files import read_parameters, write_model
from infomax.language.text_model import TextModel, checked_ids
from infomax.language.vocabulary import Vocabulary
from infomax.unnormalised import ExactReading

_TILE = 2**14  # tokens that are read at once


class NGramModel(TextModel):
    """An `NGram` over a vocabulary. Its law is normalised: log Z is 0.

    Args:
        vocabulary: of V tokens.
        ngram: of V classes.
    """

    def __init__(self, vocabulary: Vocabulary, ngram: NGram) -> None:
        self.vocabulary, self.ngram = vocabulary, ngram

    def evaluate(self, ids: Any, streams: int = 1) -> ExactReading:  # noqa: ARG002, it has no memory to be read at once
        """See `TextModel.evaluate`."""
        ids = checked_ids(ids, self.vocabulary.size)
        pieces = [np.arange(start, min(start + _TILE, len(ids))) for start in range(0, len(ids), _TILE)]
        end, order = self.vocabulary.end, self.ngram.order
        nats = [-self.ngram.log_prob(before(ids, order, places, end), take(ids, places)) for places in pieces]
        return together([reading(part, torch.zeros_like(part)) for part in nats])

    def _nats(self, tokens: Tensor) -> Tensor:
        words = tokens.clamp(min=0)
        contexts = self.ngram.contexts(words)[:, 1:].flatten(0, 1).split(_TILE)
        told = words[:, 1:].flatten().split(_TILE)
        nats = torch.cat([-self.ngram.log_prob(*piece) for piece in zip(contexts, told, strict=True)])
        return nats.view(len(tokens), -1).masked_fill(tokens[:, 1:] < 0, 0.0)

    def _next(self, tokens: list[int], state: Any) -> tuple[Tensor, Any]:
        reach = self.ngram.order - 1
        words = ([-1] * reach + (state or []) + tokens)[len(tokens) + len(state or []) :]
        return self.ngram.log_probs(torch.tensor([words], dtype=torch.int64).view(1, reach))[0], words

    def save(self, folder: str | Path) -> None:
        """See `TextModel.save`."""
        tables = {name: torch.from_numpy(np.ascontiguousarray(table)) for name, table in self.ngram.state().items()}
        config = {"network": "ngram", "classes": self.ngram.classes, "order": self.ngram.order}
        write_model(Path(folder), config, tables, self.vocabulary)

    @classmethod
    def load(cls, folder: str | Path) -> NGramModel:
        """The model that `save` wrote.

        Raises:
            InputError: there is none, or it is damaged.
        """
        return read_parameters(Path(folder), cls._made)

    @classmethod
    def _made(cls, config: dict[str, Any], tables: dict[str, Tensor], vocabulary: Vocabulary) -> NGramModel:  # noqa: ARG003
        return cls(vocabulary, NGram.from_state({name: table.numpy() for name, table in tables.items()}))


def before(ids: np.ndarray, order: int, places: np.ndarray, end: int) -> Tensor:
    """(n, order - 1) the words before each of (n,) places of a text; before its first stands the end of another."""
    words = take(ids, places[:, None] - np.arange(order - 1, 0, -1))
    return torch.where(torch.from_numpy(places[:, None] - np.arange(order - 1, 0, -1) == -1), end, words)
