"""Vectors of texts, and the files they go to. `encode` imports this once its arguments are parsed."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import typer

from infomax.errors import InputError
from infomax.evaluation.storage import replace
from infomax.evaluation.vectors import sides
from infomax.report import json_text

_ROWS = 8192


def writable(path: Path, *, overwrite: bool) -> Path:
    """The path, if vectors may be written there.

    Raises:
        InputError: an ending that says no format, or a file that is there and was not given up.
    """
    if path.suffix not in _WRITE:
        raise InputError(f"--out {path} should end in {', '.join(_WRITE)}, or be - for JSON lines; rename it.")
    if path.is_dir() or (path.exists() and not overwrite):
        raise InputError(f"{path} exists already; choose another name, or replace a file with --overwrite.")
    return path


def encode_texts(encoder: Any, texts: list[str], *, dim: int | None, progress: bool) -> np.ndarray:
    """(n, d) float32 vectors, as a query would be encoded; with a progress bar where a person is watching."""
    side: Any = sides(encoder)[0]
    return side.encode(texts, dim=dim, progress=progress and sys.stderr.isatty())


def write(path: Path, texts: Sequence[str], vectors: np.ndarray) -> None:
    """Write n texts and their (n, d) vectors in the format that the path's ending names, atomically.

    Raises:
        InfomaxError: the disk is full, or the folder cannot be written.
    """
    replace(path, lambda temporary: _WRITE[path.suffix](temporary, texts, vectors))


def print_lines(texts: Sequence[str], vectors: np.ndarray) -> None:
    """Print one JSON object a text on the standard output."""
    for line in _lines(texts, vectors):
        typer.echo(line)


def _lines(texts: Sequence[str], vectors: np.ndarray) -> Iterator[str]:
    return (json_text({"text": text, "vector": vector}) for text, vector in zip(texts, vectors, strict=True))


def _npy(path: Path, _texts: Sequence[str], vectors: np.ndarray) -> None:
    with path.open("wb") as file:
        np.save(file, vectors)


def _parquet(path: Path, texts: Sequence[str], vectors: np.ndarray) -> None:
    schema = pa.schema({"text": pa.string(), "vector": pa.list_(pa.float32(), vectors.shape[1])})
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, len(texts), _ROWS):
            block = pa.array(vectors[start : start + _ROWS].reshape(-1))
            columns = [
                pa.array(texts[start : start + _ROWS]),
                pa.FixedSizeListArray.from_arrays(block, vectors.shape[1]),
            ]
            writer.write_table(pa.table(columns, schema=schema))


def _jsonl(path: Path, texts: Sequence[str], vectors: np.ndarray) -> None:
    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{line}\n" for line in _lines(texts, vectors))


_WRITE = {".npy": _npy, ".parquet": _parquet, ".jsonl": _jsonl}
