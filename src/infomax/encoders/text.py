"""A static text encoder: a text is the weighted mean of its tokens' vectors, scaled to unit length.

There is no network to run, so a text costs as many additions as it has tokens; what is learned are the vectors and how
much each token counts. Trained with InfoNCE the scores tend to log p(x, y) / p(x)p(y), which for bags of tokens is
mostly carried by pairs of tokens: a bilinear form in token counts is a good model of it, and a cheap one.
Every prefix of a vector can be used as a shorter vector (Matryoshka), best when it was trained for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn
from torch.nn import functional

from infomax.encoders.bag import weighted_mean
from infomax.encoders.encode_texts import encode_texts
from infomax.encoders.texts import blocks
from infomax.encoders.tokenizer import TextTokenizer
from infomax.encoders.tokenizer_training import UNKNOWN, train_tokenizer
from infomax.encoders.tokens import TokenColumn, Tokens, token_column
from infomax.errors import InputError


class StaticTextEncoder(nn.Module):
    """Texts to vectors (n, `out_dim`) float32; a text without tokens becomes the zero vector.

    Args:
        tokenizer: a `tokenizers.Tokenizer`, or the path of its JSON.
        dim: width of the embedding table.
        projection: width of a linear map after the table; None for none.
        normalize: scale vectors to unit length.
        max_tokens: tokens of a text that are read; the rest is ignored.
        frequency_power: a token that occurs k times in a text counts ceil(k ** frequency_power) times. 0.5 tells
            long texts with many repeats (source code) apart better, but such vectors are no plain mean, so
            sentence-transformers cannot read the encoder; `load` can.
        token_dropout: share of tokens left out at random in training mode (torch's default generator, as nn.Dropout).
        sparse_gradients: give the table and the token weights sparse gradients, as `LazyAdam` wants them; set False
            for an optimiser that takes only dense ones.
        seed: of the random start of the table.

    Raises:
        InputError: a size that is not positive, a share outside [0, 1), or a file that holds no tokenizer.
    """

    def __init__(
        self,
        tokenizer: Tokenizer | str | Path,
        dim: int = 512,
        *,
        projection: int | None = None,
        normalize: bool = True,
        max_tokens: int = 256,
        frequency_power: float = 1.0,
        token_dropout: float = 0.0,
        sparse_gradients: bool = True,
        seed: int = 0,
    ) -> None:
        super().__init__()
        for name, size in (("dim", dim), ("projection", 1 if projection is None else projection)):
            if size < 1:
                raise InputError(f"{name} must be at least 1, got {size}.")
        if not 0 <= token_dropout < 1:
            raise InputError(f"token_dropout must lie in [0, 1), got {token_dropout}.")
        self.text_tokenizer = TextTokenizer(_opened(tokenizer), max_tokens, frequency_power)
        self.dim, self.max_tokens, self.normalize = dim, max_tokens, normalize
        self.token_dropout, self.sparse_gradients = token_dropout, sparse_gradients
        generator = torch.Generator().manual_seed(seed)
        size = len(self.text_tokenizer)
        self.table = nn.Parameter(torch.randn(size, dim, generator=generator) / dim**0.5)
        self.weights = nn.Parameter(torch.ones(size))
        self.projection = None if projection is None else nn.Linear(dim, projection, bias=False)
        if self.projection is not None:
            nn.init.normal_(self.projection.weight, std=dim**-0.5, generator=generator)

    @classmethod
    def from_texts(
        cls, texts: Iterable[object], *, vocabulary_size: int = 10_000, dim: int = 512, **options: Any
    ) -> StaticTextEncoder:
        """An untrained encoder for texts like these: learns the tokenizer and weighs tokens by idf.

        `options` are those of the constructor.
        """
        texts = list(texts)
        encoder = cls(train_tokenizer(texts, vocabulary_size=vocabulary_size), dim, **options)
        encoder.weigh(encoder.prepare(texts))
        return encoder

    train_tokenizer = staticmethod(train_tokenizer)

    @property
    def out_dim(self) -> int:
        return self.dim if self.projection is None else self.projection.out_features

    @property
    def gives_unit_vectors(self) -> bool:
        """Whether who wants unit vectors need not scale these."""
        return self.normalize

    def weigh(self, *columns: TokenColumn) -> None:
        """Start the token weights at BM25's idf, log(1 + (n - df + 1/2) / (df + 1/2)), over the n texts of all columns.

        df is the number of texts that hold the token; the weight is above 0 even for a token of every text. Scaled so
        that the mean weight of a token occurrence is 1; the unknown token gets 0.
        """
        size = len(self.weights)
        counted = [column.counts(size) for column in columns]
        occurrences, texts = (sum(c[side] for c in counted) for side in (0, 1))
        idf = np.log1p((sum(map(len, columns)) - texts + 0.5) / (texts + 0.5))
        if (unknown := self.text_tokenizer.tokenizer.token_to_id(UNKNOWN)) is not None:
            idf[unknown] = 0.0
        mean = float((idf * occurrences).sum() / max(np.sum(occurrences), 1))
        with torch.no_grad():
            self.weights.copy_(torch.from_numpy(idf / (mean or 1.0)))

    def tokenize(self, texts: Sequence[object]) -> Tokens:
        return Tokens.from_arrays(*self.text_tokenizer(texts))

    def prepare(self, column: Any, *, block: int = 4096) -> TokenColumn:
        """Tokenise a whole column (a list of texts, or a `Column` of them) once; index the result to get batches."""
        return token_column(self.text_tokenizer(texts) for texts in blocks(column, block))

    def forward(self, batch: Any) -> torch.Tensor:
        """Vectors (n, out_dim) of a list of n texts, or of `Tokens`."""
        tokens = batch if isinstance(batch, Tokens) else self.tokenize(batch)
        tokens = tokens.to(self.table.device)
        if self.training and self.token_dropout:
            tokens = _thinned(tokens, self.token_dropout)
        out = weighted_mean(self.table, self.weights, tokens, sparse_gradients=self.sparse_gradients)
        if self.projection is not None:
            out = self.projection(out)
        return functional.normalize(out, dim=1) if self.normalize else out

    def encode(
        self, texts: Any, *, batch_size: int = 1024, progress: bool = False, dim: int | None = None
    ) -> np.ndarray:
        """Vectors (n, out_dim) float32 of a list of texts, a text column or a `TokenColumn`, nothing dropped.

        With `dim`, the first `dim` numbers of each, scaled to unit length again where the encoder normalises.
        """
        return encode_texts(self, texts, batch_size=batch_size, progress=progress, dim=dim)

    def export_table(self) -> torch.Tensor:
        """The table (v, out_dim) with token weights and projection multiplied in: its plain mean gives our vectors."""
        with torch.no_grad():
            table = self.table * self.weights[:, None]
            return table if self.projection is None else self.projection(table)

    def truncated(self, dim: int) -> StaticTextEncoder:
        """A new encoder whose vectors are the first `dim` numbers of this one's (scaled to unit length again)."""
        if not 1 <= dim <= self.out_dim:
            raise InputError(f"dim must lie between 1 and {self.out_dim}, the width of this encoder, got {dim}.")
        shorter = StaticTextEncoder(self.text_tokenizer.tokenizer, **{**self.config(), "dim": dim, "projection": None})
        with torch.no_grad():
            if self.projection is None:
                shorter.table.copy_(self.table[:, :dim])
                shorter.weights.copy_(self.weights)
            else:
                shorter.table.copy_(self.export_table()[:, :dim])
        return shorter

    def config(self) -> dict[str, Any]:
        """The constructor's settings, as JSON holds them."""
        return {
            "dim": self.dim,
            "projection": None if self.projection is None else self.out_dim,
            "normalize": self.normalize,
            "max_tokens": self.max_tokens,
            "frequency_power": self.text_tokenizer.frequency_power,
            "token_dropout": self.token_dropout,
            "sparse_gradients": self.sparse_gradients,
        }

    def save(self, path: str | Path, *, overwrite: bool = False) -> Path:
        """Write a folder that `load` and `SentenceTransformer` read; see `storage.save_encoder`."""
        from infomax.encoders.storage import save_encoder

        return save_encoder(self, Path(path), overwrite=overwrite)

    @staticmethod
    def load(path: str | Path) -> StaticTextEncoder:
        """Read what `save` wrote."""
        from infomax.encoders.storage import load_encoder

        return load_encoder(path)


def _opened(tokenizer: Tokenizer | str | Path) -> Tokenizer:
    if isinstance(tokenizer, Tokenizer):
        return tokenizer
    try:
        return Tokenizer.from_file(str(tokenizer))
    except Exception as error:  # the library raises bare Exception for every fault
        raise InputError(f"Expected a tokenizer.json at {tokenizer}, but it cannot be read: {error}.") from error


def _thinned(tokens: Tokens, share: float) -> Tokens:
    kept = torch.rand(tokens.ids.shape, device=tokens.ids.device) >= share
    before = functional.pad(kept.cumsum(0), (1, 0))  # kept tokens before each position
    return Tokens(tokens.ids[kept], before[tokens.offsets])
