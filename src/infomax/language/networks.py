"""Networks that turn the words so far into a vector for the next word: a log-bilinear model, and an LSTM.

Both map (B, T) tokens to (B, T, d) and hand on what they carry, so that a text may come in pieces: an LSTM its state, a
log-bilinear model the words that its next context still needs.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

_RANGE = 0.1  # embeddings start uniform in ± this


class LogBilinear(nn.Module):
    """h_t = Σ_i c_i ⊙ r(w_{t-i+1}): each of the last `context` words, weighed by a vector of its place.

    Args:
        classes, dim: V and d.
        context: words that a prediction looks back on (n - 1).
        dropout: share of the entries of h that is left out in training.
        sparse: the embedding's gradient holds only the rows of the batch.

    Source: Mnih & Teh 2012, arXiv:1206.6426, section 4.1, with diagonal context matrices.
    """

    def __init__(self, classes: int, dim: int, context: int = 5, *, dropout: float = 0.0, sparse: bool = False) -> None:
        super().__init__()
        self.embedding = _embedding(classes, dim, sparse)
        self.places = nn.Parameter(torch.full((context, dim), context**-0.5))  # oldest first
        self.dropout = nn.Dropout(dropout)
        self.context = context

    def forward(self, tokens: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(B, T, d) vectors, and the (B, context - 1) words before whatever follows.

        Args:
            tokens: (B, T) int64.
            state: (B, context - 1) words before them, -1 where there is none; None for the start of a text.
        """
        before = tokens.new_full((len(tokens), self.context - 1), -1) if state is None else state
        words = torch.cat([before, tokens], 1)
        vectors = self.embedding(words.clamp(min=0)) * (words >= 0).unsqueeze(2)
        hidden = sum(vectors[:, i : i + tokens.shape[1]] * place for i, place in enumerate(self.places))
        return self.dropout(hidden), words[:, tokens.shape[1] :]

    def config(self) -> dict[str, Any]:
        """What it was made of, for JSON."""
        classes, dim = self.embedding.weight.shape
        return {
            "network": "log-bilinear",
            "classes": classes,
            "dim": dim,
            "context": self.context,
            "dropout": self.dropout.p,
        }


class LSTM(nn.Module):
    """An LSTM of `layers` layers, as wide as its embeddings, with dropout on what enters and leaves each layer.

    Source: Zaremba, Sutskever & Vinyals 2014, arXiv:1409.2329.
    """

    def __init__(self, classes: int, dim: int, layers: int = 1, dropout: float = 0.0, *, sparse: bool = False) -> None:
        super().__init__()
        self.embedding = _embedding(classes, dim, sparse)
        self.recurrent = nn.LSTM(dim, dim, layers, batch_first=True, dropout=dropout if layers > 1 else 0.0)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, tokens: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(B, T, d) vectors, and the (layers, B, d) state and cells after the last token.

        Args:
            tokens: (B, T) int64.
            state: what was handed on; None for the start of a text.
        """
        hidden, after = self.recurrent(self.dropout(self.embedding(tokens)), state)
        return self.dropout(hidden), after

    def config(self) -> dict[str, Any]:
        """What it was made of, for JSON."""
        classes, dim = self.embedding.weight.shape
        layers = self.recurrent.num_layers
        return {"network": "lstm", "classes": classes, "dim": dim, "layers": layers, "dropout": self.dropout.p}


def network_of(config: dict[str, Any]) -> LogBilinear | LSTM:
    """The untrained network whose `config()` it is."""
    kinds: dict[str, Any] = {"log-bilinear": LogBilinear, "lstm": LSTM}
    return kinds[config["network"]](**{name: value for name, value in config.items() if name != "network"})


def _embedding(classes: int, dim: int, sparse: bool) -> nn.Embedding:
    embedding = nn.Embedding(classes, dim, sparse=sparse)
    nn.init.uniform_(embedding.weight, -_RANGE, _RANGE)
    return embedding
