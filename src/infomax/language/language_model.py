"""A network and an output layer over a vocabulary: trained on a few drawn words, or on all; read over all, always."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from infomax.language.batches import take
from infomax.language.exact import reading, together
from infomax.language.files import read_parameters, write_model
from infomax.language.networks import LSTM, LogBilinear, network_of
from infomax.language.text_model import TextModel, checked_ids
from infomax.language.vocabulary import Vocabulary
from infomax.training.settings import whole
from infomax.unnormalised import ExactReading, SampledLinear

_TILE = 2**11  # tokens that are read at once


class LanguageModel(nn.Module, TextModel):
    """p(next token | tokens before) ∝ exp of the head's scores of the network's vector.

    Args:
        vocabulary: of V tokens.
        network: (B, T) tokens and a state -> (B, T, d) and the state after them.
        head: of d features and V classes. Where its `weight` is the network's embedding, the two are tied.
    """

    def __init__(self, vocabulary: Vocabulary, network: LogBilinear | LSTM, head: SampledLinear) -> None:
        super().__init__()
        self.vocabulary, self.network, self.head = vocabulary, network, head

    @property
    def tied(self) -> bool:
        """Whether input and output vectors of the words are one."""
        return self.head.weight is self.network.embedding.weight

    @torch.no_grad()
    def evaluate(self, ids: Any, streams: int = 1) -> ExactReading:
        """See `TextModel.evaluate`. log Z is that of the scores less the normaliser that NCE learned, if it did."""
        return together([reading(nats, log_z) for nats, log_z in self._read(ids, streams)])

    @torch.no_grad()
    def nats(self, ids: Any, streams: int = 1) -> Tensor:
        """(L,) float64 exact -log p of each token, in the order of the text; otherwise as `evaluate`."""
        ids = checked_ids(ids, self.vocabulary.size)
        told = torch.cat(
            [nats.view(min(streams, len(ids)), -1) for nats, _ in self._read(ids, streams, dropped=False)], 1
        )
        return told.flatten()[: len(ids)]

    def _read(self, ids: Any, streams: int, *, dropped: bool = True) -> Iterator[tuple[Tensor, Tensor]]:
        """-log p and log Z of some tokens at a time, what fills up the last stream is dropped, or 0.

        To be asked without gradients.
        """
        ids = checked_ids(ids, self.vocabulary.size)
        whole("streams", streams, 1)
        streams = min(streams, len(ids))
        length, state = -(-len(ids) // streams), None
        with _reading(self):
            for start in range(0, length, max(1, _TILE // streams)):
                columns = np.arange(start, min(start + max(1, _TILE // streams), length))
                places = columns + length * np.arange(streams)[:, None]
                tokens = take(ids, np.minimum(places, len(ids)) - 1)
                hidden, state = self.network(tokens.masked_fill_(tokens < 0, self.vocabulary.end), state)
                targets = take(ids, np.minimum(places, len(ids) - 1))
                nats, log_z = self._exact(hidden.flatten(0, 1), targets.flatten())
                there = torch.from_numpy(places < len(ids)).flatten()
                yield (nats[there], log_z[there]) if dropped else (nats * there, log_z)

    def _exact(self, hidden: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """(n,) float64 -log p of the targets, and log Z."""
        log_z = self.head.log_normaliser(hidden).double()
        of_target = (hidden * self.head.weight[targets]).sum(1).double()
        if self.head.bias is not None:
            of_target = of_target + self.head.bias[targets].double()
        return log_z - of_target, log_z - self.head.normaliser(hidden)

    @torch.no_grad()
    def _nats(self, tokens: Tensor) -> Tensor:
        step, state, parts = max(1, _TILE // len(tokens)), None, []
        before, told = (part.clamp(min=0).split(step, 1) for part in (tokens[:, :-1], tokens[:, 1:]))
        with _reading(self):
            for words, targets in zip(before, told, strict=True):
                hidden, state = self.network(words, state)
                parts.append(self._exact(hidden.flatten(0, 1), targets.flatten())[0].view(targets.shape))
        return torch.cat(parts, 1).masked_fill(tokens[:, 1:] < 0, 0.0)

    @torch.no_grad()
    def _next(self, tokens: list[int], state: Any) -> tuple[Tensor, Any]:
        with _reading(self):
            hidden, state = self.network(torch.tensor([tokens]), state)
            return self.head(hidden[0, -1]).double().log_softmax(0), state

    def save(self, folder: str | Path) -> None:
        """See `TextModel.save`. The noise is not kept: a loaded model can be read, not trained further by it."""
        kind = self.head.normaliser
        held = kind.held if kind.bias is None else "learned" if kind.weight is None else "context"
        head = {"objective": self.head.objective, "draws": self.head.draws, "log_normaliser": held}
        config = {**self.network.config(), "tied": self.tied, "head": head}
        parameters = {name: t for name, t in self.state_dict().items() if not (self.tied and name == "head.weight")}
        write_model(Path(folder), config, parameters, self.vocabulary)

    @classmethod
    def load(cls, folder: str | Path) -> LanguageModel:
        """The model that `save` wrote.

        Raises:
            InputError: there is none, or it is damaged.
        """
        return read_parameters(Path(folder), cls._made)

    @classmethod
    def _made(cls, config: dict[str, Any], parameters: dict[str, Tensor], vocabulary: Vocabulary) -> LanguageModel:
        head = SampledLinear(config["dim"], config["classes"], **config.pop("head"))
        tied = config.pop("tied")
        network = network_of(config)
        if tied:
            head.weight = network.embedding.weight
            parameters["head.weight"] = parameters["network.embedding.weight"]
        model = cls(vocabulary, network, head)
        model.load_state_dict(parameters)
        return model.eval()


@contextmanager
def _reading(model: nn.Module) -> Iterator[None]:
    """Without dropout for a while."""
    former = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(former)
