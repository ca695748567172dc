"""From an encoder and a column of items to vectors, in chunks, without keeping anything for a gradient.

An encoder is a module for both sides, or a tuple of two: one for anchors, one for candidates. A module that has
`prepare(column)` (a text encoder that would rather tokenise once) is given its chance to; any other module is called
on what `column[rows]` gives: a list of texts, or a tensor. One whose `gives_unit_vectors` is true is not scaled again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import nn
from torch.nn.functional import normalize as unit

from infomax.data.columns import TextColumn
from infomax.data.pairs import Column
from infomax.errors import InputError


class TwoSided(nn.Module):
    """Two encoders, for items of two kinds; they may share parameters. Called, it encodes anchors."""

    def __init__(self, anchor: nn.Module, candidate: nn.Module) -> None:
        super().__init__()
        self.anchor, self.candidate = anchor, candidate

    def forward(self, batch: Any) -> torch.Tensor:
        return self.anchor(batch)


def sides(encoder: Any) -> tuple[nn.Module, nn.Module]:
    """The module that encodes anchors and the one that encodes candidates.

    Raises:
        InputError: neither a module nor a tuple of two modules.
    """
    if isinstance(encoder, TwoSided):
        return encoder.anchor, encoder.candidate
    if isinstance(encoder, nn.Module):
        return encoder, encoder
    if isinstance(encoder, tuple | list) and len(encoder) == 2 and all(isinstance(m, nn.Module) for m in encoder):
        return encoder[0], encoder[1]
    raise InputError(
        f"The encoder must be a torch.nn.Module, or a tuple of two (for anchors, for candidates), "
        f"got {type(encoder).__name__}."
    )


@dataclass(frozen=True)
class Prepared:
    """A column that remembers what a module's `prepare` made of it, so that texts are tokenised once a run."""

    column: Column
    module: nn.Module
    tokens: Any

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, rows: np.ndarray) -> Any:
        return self.column[rows]


@dataclass(frozen=True)
class Part:
    """Some rows of a column, in their order; nothing is copied."""

    column: Any
    chosen: np.ndarray

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, rows: np.ndarray) -> Any:
        return self.column[self.chosen[rows]]


def as_column(items: Any) -> Any:
    """A list or tuple of texts as a column; any other column as it is."""
    if not isinstance(items, list | tuple):
        return items
    if not all(isinstance(item, str) for item in items):
        raise InputError("A list of items must be of texts; give anything else as a tensor, one row an item.")
    return TextColumn(pa.chunked_array([items], pa.string()))


def prepared(module: nn.Module, column: Any) -> Any:
    """The column as the module likes it best: tokenised once where it has `prepare`, else unchanged."""
    if isinstance(column, Prepared):
        return column.tokens if column.module is module else prepared(module, column.column)
    if isinstance(column, Part) and isinstance(column.column, Prepared):
        return Part(prepared(module, column.column), column.chosen)
    prepare = getattr(module, "prepare", None)
    return column if prepare is None else prepare(column)


def remembered(module: nn.Module, column: Column) -> Column:
    """The column together with its prepared form, if the module has one."""
    return Prepared(column, module, prepared(module, column)) if hasattr(module, "prepare") else column


def lengths(column: Any, rows: np.ndarray) -> np.ndarray | None:
    """How long the items of some rows are (tokens, of a tokenised column); None where the column does not know."""
    if isinstance(column, Part):
        return lengths(column.column, column.chosen[rows])
    known = getattr(column, "lengths", None)
    return None if known is None else known(rows)


def is_text(column: Any) -> bool:
    """Whether the column's batches are lists of texts (an empty column's are not)."""
    batch = column[np.arange(min(1, len(column)))]
    return isinstance(batch, list) and bool(batch) and isinstance(batch[0], str)


def texts(column: Any, chunk: int = 4096) -> Iterator[str]:
    """The texts of a column, one after the other."""
    for start in range(0, len(column), chunk):
        yield from column[np.arange(start, min(start + chunk, len(column)))]


def device_of(module: nn.Module) -> torch.device:
    """Where the module's first parameter or buffer lives."""
    for tensor in (*module.parameters(), *module.buffers()):
        return tensor.device
    return torch.device("cpu")


def _as_module(batch: torch.Tensor, module: nn.Module) -> torch.Tensor:
    """The batch on the module's device, floats in its dtype: numpy's are float64 where most encoders' are float32."""
    floats = (parameter.dtype for parameter in module.parameters() if parameter.is_floating_point())
    return batch.to(device_of(module), next(floats, batch.dtype) if batch.is_floating_point() else batch.dtype)


def encode_rows(module: nn.Module, column: Any, rows: np.ndarray, *, normalize: bool = True) -> torch.Tensor:
    """(len(rows), d) vectors of some rows, of unit length if `normalize`; differentiable. Errors as `encode_batch`."""
    return encode_batch(module, column[rows], len(rows), normalize=normalize)


def encode_batch(module: nn.Module, batch: Any, n: int, *, normalize: bool = True) -> torch.Tensor:
    """(n, d) vectors of a batch of n items, of unit length if `normalize`; differentiable. Numbers come in the module's dtype.

    Raises:
        InputError: the module does not take rows of this width, or gives something else than one finite-dimensional vector a row.
    """
    try:
        vectors = module(_as_module(batch, module) if isinstance(batch, torch.Tensor) else batch)
    except RuntimeError as error:
        if "shapes cannot be multiplied" not in str(error):
            raise
        raise InputError(f"The encoder does not take rows of shape {tuple(batch.shape)}: {error}.") from error
    except TypeError as error:
        if not isinstance(batch, list) or "must be Tensor, not list" not in str(error):
            raise
        raise InputError(
            "The encoder takes tensors, and these pairs are texts: leave encoder out for a text encoder, or give tensors."
        ) from error
    if not isinstance(vectors, torch.Tensor) or vectors.ndim != 2 or len(vectors) != n:
        got = tuple(vectors.shape) if isinstance(vectors, torch.Tensor) else type(vectors).__name__
        raise InputError(f"The encoder must give one vector a row, a tensor of shape ({n}, d), got {got}.")
    if not vectors.is_floating_point():
        raise InputError(f"The encoder must give floating point vectors, got {vectors.dtype}: convert with .float().")
    return unit(vectors, dim=-1) if normalize and not getattr(module, "gives_unit_vectors", False) else vectors


@torch.no_grad()
def embed(module: nn.Module, column: Any, *, normalize: bool = True, chunk: int = 1024) -> torch.Tensor:
    """(n, d) vectors of a whole column, in evaluation mode, `chunk` rows at a time. The module's mode is put back."""
    was_training, column = module.training, as_column(column)
    module.eval()
    try:
        rows = np.arange(len(column))
        parts = [
            encode_rows(module, column, rows[i : i + chunk], normalize=normalize) for i in range(0, len(rows), chunk)
        ]
    finally:
        module.train(was_training)
    return torch.cat(parts)
