"""The docstrings and comments of Python source as texts: prose that every machine has, with nothing to download."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa

from infomax.data.arrow_file import TemporaryFolder, cache_folder, map_arrow, write_arrow
from infomax.data.columns import TextColumn
from infomax.data.near_duplicates import near_duplicate_codes
from infomax.data.prose_source import prose_of
from infomax.data.source_tree import SourceRef, source_files
from infomax.errors import InfomaxError

_VERSION = 1  # of the harvest: raise it whenever the same files would give other texts
_SCHEMA = {"file": pa.int32(), "text": pa.string()}


@dataclass(frozen=True)
class Prose:
    """Paragraphs in order of file.

    Attributes:
        texts: n paragraphs, memory-mapped.
        files: (n,) int32, the number of each one's file.
        stamp: changes with any of the files.
    """

    texts: TextColumn
    files: np.ndarray
    stamp: str


def python_prose(root: str | os.PathLike[str] | None = None, *, cache: str | os.PathLike[str] | None = None) -> Prose:
    """The paragraphs of prose in Python source; of near duplicates (licence headers, say) only the first.

    Files are those of `source_tree`: no tests, no vendored copies. The harvest is kept until one of them changes.

    Args:
        root: a folder or a file; None is the standard library of the running interpreter.
        cache: folder of the harvest; None means $INFOMAX_CACHE, $XDG_CACHE_HOME/infomax or ~/.cache/infomax.

    Raises:
        InputError: there is no such folder or file.
        InfomaxError: the cache cannot be written.
    """
    folder = Path(root or sysconfig.get_paths()["stdlib"]).expanduser().resolve()
    files = source_files([folder])
    stamp = _digest([_VERSION, *((file.path, file.size, file.modified) for file in files)])
    place = f"prose-{_digest([folder])}.arrow"
    path = Path(cache) / place if cache is not None else cache_folder() / place
    table, owner = _kept(path, stamp), None
    if table is None:
        schema = pa.schema(_SCHEMA, metadata={"stamp": stamp})
        batches = list(_harvest(files))
        try:
            write_arrow(path, schema, batches)
        except InfomaxError:
            if cache is not None:  # the user named this folder, so say that it does not work
                raise
            owner = TemporaryFolder()
            path = owner.path / place
            write_arrow(path, schema, batches)
        table = map_arrow(path)
    return Prose(TextColumn(table.column("text"), owner=owner), table.column("file").to_numpy(), stamp)


def _kept(path: Path, stamp: str) -> pa.Table | None:
    """The table of an earlier harvest of the same files."""
    try:
        table = map_arrow(path)
        table.validate(full=True)
    except (OSError, pa.ArrowException):
        return None  # missing, cut short or foreign: harvest anew, which overwrites it
    known = (table.schema.metadata or {}).get(b"stamp", b"").decode()
    return table if known == stamp and table.schema.equals(pa.schema(_SCHEMA)) else None


def _harvest(files: list[SourceRef]) -> Iterator[pa.RecordBatch]:
    found = [(number, text) for number, file in enumerate(files) for text in prose_of(file.path)]
    texts = pa.array([text for _, text in found], type=pa.string())
    codes = near_duplicate_codes(TextColumn(pa.chunked_array([texts])))
    _, first = np.unique(codes, return_index=True)
    rows = np.sort(first)
    numbers = np.array([number for number, _ in found], dtype=np.int32)[rows]
    yield pa.RecordBatch.from_arrays([pa.array(numbers), texts.take(pa.array(rows))], names=list(_SCHEMA))


def _digest(parts: list[object]) -> str:
    return blake2b("\n".join(map(str, parts)).encode(), digest_size=8).hexdigest()
