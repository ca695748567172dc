"""From the rows of a batch to vectors, and from the gradients of these back: at once, or in chunks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from infomax.encoders import StaticTextEncoder
from infomax.encoders.tokens import Tokens
from infomax.evaluation.vectors import encode_batch, encode_rows, lengths, prepared
from infomax.training.gradient_cache import cached_backward


class Side(nn.Module):
    """Row numbers of a column to vectors (n, d), of unit length if `normalize`."""

    def __init__(self, encoder: nn.Module, column: Any, *, normalize: bool) -> None:
        super().__init__()
        self.encoder, self.normalize = encoder, normalize
        self.column = prepared(encoder, column)

    def forward(self, rows: np.ndarray) -> torch.Tensor:
        return encode_rows(self.encoder, self.column, rows, normalize=self.normalize)


def learn_from(loss: Callable[..., torch.Tensor], sides: Sequence[Side], rows: np.ndarray, chunk: int | None) -> None:
    """Add the gradient of `loss(vectors of one side, of the other)` to all that it depends on.

    With `chunk`, so many rows are encoded at a time (see `cached_backward`), those of like length together: what pads texts
    then pads little.
    """
    if chunk is None or chunk >= len(rows):
        loss(*vectors(sides, rows)).backward()
        return
    orders = [by_length(side.column, rows) for side in sides]
    places = [torch.from_numpy(np.argsort(order)) for order in orders]

    def in_order(*vectors: torch.Tensor) -> torch.Tensor:
        return loss(*(part[place.to(part.device)] for part, place in zip(vectors, places, strict=True)))

    chosen = [(side, rows[order]) for side, order in zip(sides, orders, strict=True)]
    cached_backward(in_order, *chosen, chunk=chunk)


def vectors(sides: Sequence[Side], rows: np.ndarray) -> Sequence[torch.Tensor]:
    """The vectors of each side. A static encoder takes both at once: then it has one sparse gradient, not two to merge."""
    encoder = sides[0].encoder
    if isinstance(encoder, StaticTextEncoder) and all(side.encoder is encoder for side in sides):
        joint = Tokens.joined([side.column[rows] for side in sides])
        return encode_batch(encoder, joint, len(joint), normalize=sides[0].normalize).split(len(rows))
    return [side(rows) for side in sides]


def by_length(column: Any, rows: np.ndarray) -> np.ndarray:
    """The places of `rows`, those of the longest items first: what does not fit in memory does not fit at once."""
    known = lengths(column, rows)
    return np.arange(len(rows)) if known is None else np.argsort(-known, kind="stable")
