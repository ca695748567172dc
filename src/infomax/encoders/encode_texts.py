"""Many texts to vectors, batch by batch, without keeping anything for a gradient: `encode` of every text encoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from rich.progress import track
from torch.nn import functional

from infomax.encoders.texts import blocks
from infomax.encoders.tokens import TokenColumn
from infomax.errors import InputError


def encode_texts(encoder: Any, texts: Any, *, batch_size: int, progress: bool, dim: int | None) -> np.ndarray:
    """Vectors (n, out_dim) float32 of a list of texts, a text column or a `TokenColumn`, nothing dropped.

    Args:
        encoder: a module with `out_dim` and `normalize`; its mode is put back.
        texts: what to encode.
        batch_size: texts that are held at a time.
        progress: show a bar.
        dim: the first so many numbers of each vector, scaled to unit length again where the encoder normalises.

    Raises:
        InputError: one text instead of a list, or a `dim` that the encoder does not have.
    """
    if isinstance(texts, str):
        raise InputError("encode expects a list of texts, got one str; wrap it: encode([text]).")
    if not 1 <= (width := encoder.out_dim if dim is None else dim) <= encoder.out_dim:
        raise InputError(f"dim must lie between 1 and {encoder.out_dim}, the width of this encoder, got {dim}.")
    out = np.empty((len(texts), width), np.float32)
    training, start = encoder.training, 0
    batches: Iterator[Any] = _batches(texts, batch_size)
    steps = track(batches, "encode", total=-(-len(texts) // batch_size)) if progress else batches
    with torch.inference_mode():
        encoder.eval()
        try:
            for batch in steps:
                vectors = encoder(batch)[:, :width]
                if encoder.normalize and width < encoder.out_dim:
                    vectors = functional.normalize(vectors, dim=1)
                out[start : start + len(batch)] = vectors.float().cpu().numpy()
                start += len(batch)
        finally:
            encoder.train(training)
    return out


def _batches(texts: Any, size: int) -> Iterator[Any]:
    if isinstance(texts, TokenColumn):
        return (texts[start : start + size] for start in range(0, len(texts), size))
    return blocks(texts, size)
