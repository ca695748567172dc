"""An index for search: the vectors of all candidates, and how to show each to a person.

Both files are mapped from the disk rather than read, so a search starts at once; the product with the queries is exact
(no approximate neighbours) and goes over the vectors in chunks. Candidates with the same text are kept once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch.nn.functional import normalize as unit

from infomax.data.columns import TextColumn
from infomax.data.ids import codes_of, digests
from infomax.data.pairs import Column
from infomax.errors import InputError
from infomax.evaluation.held_out import shown
from infomax.evaluation.storage import replace
from infomax.evaluation.vectors import as_column, device_of, embed, is_text, prepared, sides, texts

_CHUNK = 16_384  # rows of vectors a product: 16 MiB of float32 at d = 256


@dataclass(frozen=True)
class Index:
    """m searchable items.

    Attributes:
        vectors: (m, d) float16 of unit length, or float32 as the encoder gives them.
        labels: (m,) how to show each.
        normalize: whether they are of unit length, and queries are to be.
    """

    vectors: torch.Tensor
    labels: Sequence[str]
    normalize: bool = True

    def save(self, folder: str | Path) -> None:
        """Write `vectors.safetensors` and `labels.arrow`, each atomically."""
        header = {"normalize": str(self.normalize)}
        replace(Path(folder) / "vectors.safetensors", lambda path: save_file({"vectors": self.vectors}, path, header))
        replace(Path(folder) / "labels.arrow", lambda path: _write_labels(path, self.labels))


def build_index(
    encoder: Any,
    column: Sequence[str] | Column,
    labels: Sequence[str] | None = None,
    *,
    normalize: bool = True,
    chunk: int = 1024,
) -> Index:
    """Encode a column of candidates for `search`.

    Args:
        encoder: a module, or a tuple of two, whose second encodes candidates.
        column: (n,) the candidates, a list of texts or a column; texts that repeat are kept once, with their first label.
        labels: (n,) how to show each; default: the head of its text.
        normalize: scale vectors to unit length, as they were in the fit; search is then by cosine, else by inner product.
        chunk: rows encoded at a time.
    """
    if len(column) == 0:
        raise InputError("There is nothing to index: the column of candidates is empty.")
    column = as_column(column)
    rows = np.arange(len(column))
    if is_text(column):
        rows = np.sort(np.unique(codes_of(digests(texts(column))), return_index=True)[1])
    side = sides(encoder)[1]
    vectors = embed(side, prepared(side, column), normalize=normalize, chunk=chunk)
    vectors = vectors[torch.as_tensor(rows, device=vectors.device)].cpu().contiguous()
    # half precision would do for vectors of any length but those with numbers beyond 65,504, which become infinite
    kept = [shown(column, labels, int(row)) for row in rows]
    return Index(vectors.half() if normalize else vectors.float(), kept, normalize)


def load_index(folder: str | Path) -> Index:
    """The index saved in `folder`, mapped from the disk.

    Raises:
        InputError: there is none, or its files are damaged.
    """
    folder = Path(folder)
    try:
        with safe_open(folder / "vectors.safetensors", framework="pt") as file:
            vectors, header = file.get_tensor("vectors"), file.metadata() or {}
        labels = pa.ipc.open_file(pa.memory_map(str(folder / "labels.arrow"))).read_all()["label"]
    except FileNotFoundError as error:
        raise InputError(
            f"{folder} holds no search index; make one with `infomax fit` or `build_index(...).save`, or search elsewhere "
            "(--corpus)."
        ) from error
    except (SafetensorError, pa.ArrowInvalid, KeyError) as error:
        raise InputError(f"The search index in {folder} is damaged ({error}); build it again.") from error
    if len(labels) != len(vectors):
        raise InputError(
            f"The search index in {folder} has {len(vectors)} vectors but {len(labels)} labels; build it again."
        )
    return Index(vectors, TextColumn(labels), normalize=header.get("normalize") != "False")


@torch.no_grad()
def search(encoder: Any, index: Index, queries: Sequence[str] | Column, k: int = 10) -> list[list[tuple[str, float]]]:
    """The k best items of each query: [(label, cosine), ...], best first.

    Of an index that was built with `normalize=False`, inner products take the place of cosines.

    Args:
        encoder: a module, or a tuple of two, whose first encodes queries.
        index: from `build_index` or `load_index`.
        queries: texts, or a column of whatever the encoder takes.
        k: how many; all of them if the index holds fewer.

    Raises:
        InputError: no query, k below 1, or vectors of another size than the index's.
    """
    if isinstance(queries, str) or len(queries) == 0 or k < 1:
        raise InputError(f"search needs a list of at least one query and k of at least 1, got {queries!r} and k = {k}.")
    side = sides(encoder)[0]
    vectors = embed(side, prepared(side, as_column(queries)), normalize=index.normalize).float()
    if vectors.shape[1] != index.vectors.shape[1]:
        raise InputError(
            f"The index holds vectors of size {index.vectors.shape[1]}, the encoder gives {vectors.shape[1]}; "
            f"use the encoder that the index was built with."
        )
    items = index.vectors.to(device_of(side))
    values, rows = _nearest(vectors, items, min(k, len(items)), normalize=index.normalize)
    return [
        [(index.labels[row], value) for row, value in zip(*hits, strict=True)]
        for hits in zip(rows.tolist(), values.tolist(), strict=True)
    ]


def _nearest(
    queries: torch.Tensor, vectors: torch.Tensor, k: int, *, normalize: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """(Q, k) best inner products (cosines, of vectors brought to unit length) and their rows, over chunks of the vectors."""
    best = torch.empty(len(queries), 0, device=queries.device)
    rows = torch.empty(len(queries), 0, dtype=torch.int64, device=queries.device)
    for start in range(0, len(vectors), _CHUNK):
        items = vectors[start : start + _CHUNK].float()  # rounding to half precision has changed their length
        scores = queries @ (unit(items, dim=1) if normalize else items).T
        own = torch.arange(start, start + scores.shape[1], device=rows.device).expand(len(queries), -1)
        best, keep = torch.cat([best, scores], dim=1).topk(min(k, best.shape[1] + scores.shape[1]), dim=1)
        rows = torch.cat([rows, own], dim=1).gather(1, keep)
    return best.clamp(-1, 1) if normalize else best, rows


def _write_labels(path: Path, labels: Sequence[str]) -> None:
    table = pa.table({"label": pa.array(list(labels), pa.string())})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
