"""Single texts, for `encode` and `search`: a line each, or a cell of a table's column each.

Texts and rows stay side by side; rows that cannot be read are counted.
"""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from infomax.data.delimited import delimited_batches
from infomax.data.jsonl import jsonl_batches
from infomax.data.tables import parquet_batches
from infomax.data.text_files import check_encoding, not_in_encoding, open_bytes
from infomax.errors import InputError

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")
_TABLES = (*_DELIMITERS, *_JSON, *_PARQUET)
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".br")


def read_texts(
    source: str, column: str | None = None, *, encoding: str | None = None, delimiter: str | None = None
) -> tuple[list[str], Mapping[str, int]]:
    """The texts of a source, and how many of its rows could not be read, by reason.

    Args:
        source: "-" for the lines of the standard input; a table, of which `column` is read; else a file of lines.
        column: an empty cell of it is an empty text, so that texts and rows stay side by side.
        encoding, delimiter: of the file, if not UTF-8 and that of its name.

    Raises:
        InputError: there is no such file or column, no text, or the file is in another encoding.
    """
    if source == "-":
        texts, skipped = [line.rstrip("\r\n") for line in _input_lines()], Counter[str]()
    else:
        texts, skipped = _from_file(Path(source).expanduser(), column, check_encoding(encoding or "utf-8"), delimiter)
    if not texts:
        raise InputError(f"{'The standard input' if source == '-' else source} holds no text; give one a line.")
    return texts, skipped


def _input_lines() -> Iterator[str]:
    try:
        yield from sys.stdin
    except UnicodeDecodeError as error:
        raise InputError(
            f"The standard input is not {sys.stdin.encoding} text ({error.reason}); convert it."
        ) from error


def _from_file(path: Path, column: str | None, encoding: str, delimiter: str | None) -> tuple[list[str], Counter[str]]:
    if not path.is_file():
        raise InputError(f"No file {path}: check the path.")
    kind = next((s.lower() for s in reversed(path.suffixes) if s.lower() not in _COMPRESSED), "")
    if column is None:
        if kind in _TABLES:
            raise InputError(f"{path} is a table; name the column of its texts by --column.")
        return list(_lines(path, encoding)), Counter()

    def assign(names: list[str]) -> dict[str, str]:
        if column not in names:
            raise InputError(f"{path} has no column {column!r}; it has {', '.join(map(repr, names)) or 'none'}.")
        return {"text": column}

    skipped: Counter[str] = Counter()
    batches: Iterator[pa.RecordBatch]
    if kind in _PARQUET:
        batches = parquet_batches(path, assign)
    elif kind in _JSON:
        batches = jsonl_batches(path, encoding, assign, skipped)
    else:
        batches = delimited_batches(path, delimiter or _DELIMITERS.get(kind, ","), encoding, assign, skipped)
    return [text or "" for batch in batches for text in batch.column("text").to_pylist()], skipped


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with open_bytes(path) as file:
        try:
            for line in io.TextIOWrapper(file, "utf-8-sig" if encoding == "utf-8" else encoding):
                yield line.rstrip("\n")
        except UnicodeDecodeError:
            raise not_in_encoding(path, encoding) from None
