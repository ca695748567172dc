"""The files a table may come in: their cells batch by batch, as text or typed, of the columns that a caller chooses."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from infomax.data.cell_types import unusable_columns
from infomax.data.delimited import delimited_batches
from infomax.data.jsonl import jsonl_batches, parsed
from infomax.data.text_files import check_encoding, open_bytes
from infomax.errors import InputError

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".br")
_BATCH_ROWS = 65_536
# (names of the columns, name -> why it is unusable) -> new name -> name of each column to read
Choose = Callable[[list[str], dict[str, str]], dict[str, str]]
Batches = Iterator[pa.RecordBatch]
Keys = tuple[list[str], dict[str, str]]


@dataclass(frozen=True)
class TableFile:
    """A file of named columns.

    Attributes:
        source: its path, in words.
        typed: whether its cells have types; else they are text.
        batches: (choose, skipped) -> record batches of the chosen columns; rows that cannot be read are counted.
    """

    source: str
    typed: bool
    batches: Callable[[Choose, Counter[str]], Batches]


def table_file(path: Path, *, encoding: str | None = None, delimiter: str | None = None) -> TableFile:
    """The reader that fits the file's name.

    Raises:
        InputError: no such file, nothing in it, or a name that says no format.
    """
    if not path.is_file():
        raise InputError(f"No file {path}: check the path (from {Path.cwd()}).")
    if not path.stat().st_size:
        raise InputError(f"{path} is empty: give a file with a header and rows.")
    used = check_encoding(encoding or "utf-8")
    kind = next((suffix.lower() for suffix in reversed(path.suffixes) if suffix.lower() not in _COMPRESSED), "")
    if kind in _PARQUET:
        return TableFile(str(path), True, lambda choose, _: _readable(path, _parquet(path, choose)))
    if kind in _JSON:
        keys = cache(lambda: _keys(path, used))
        return TableFile(
            str(path), False, lambda choose, skipped: _readable(path, _json(path, used, keys, choose, skipped))
        )
    if kind in _DELIMITERS or delimiter:
        split_at = delimiter or _DELIMITERS[kind]
        return TableFile(
            str(path),
            False,
            lambda choose, skipped: _readable(
                path, delimited_batches(path, split_at, used, lambda names: choose(names, {}), skipped)
            ),
        )
    raise InputError(
        f"{path} should end in .csv, .tsv, .jsonl or .parquet (text files also in .gz): rename or convert it."
    )


def _json(path: Path, encoding: str, keys: Callable[[], Keys], choose: Choose, skipped: Counter[str]) -> Batches:
    names, nested = keys()

    def assign(first: list[str]) -> dict[str, str]:  # an object may lack keys that later ones have
        return choose([name for name in dict.fromkeys([*first, *names]) if name not in nested], nested)

    return jsonl_batches(path, encoding, assign, skipped)


def _keys(path: Path, encoding: str) -> Keys:
    """The keys of all objects, in the order in which they appear, and why those are unusable that hold lists or objects."""
    names: dict[str, None] = {}
    nested: dict[str, str] = {}
    with open_bytes(path) as file, suppress(UnicodeError):  # `jsonl_batches` says where
        for line in io.TextIOWrapper(file, "utf-8-sig" if encoding == "utf-8" else encoding):
            item = parsed(line)
            for name, value in item.items() if isinstance(item, dict) else ():
                names[name] = None
                if isinstance(value, list | dict):
                    nested[name] = f"it holds {'lists' if isinstance(value, list) else 'objects'}"
    return list(names), nested


def _parquet(path: Path, choose: Choose) -> Batches:
    try:
        file = pq.ParquetFile(path, memory_map=True, pre_buffer=False)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is not a Parquet file ({error}): name files after what they hold.") from error
    schema = file.schema_arrow
    unusable = unusable_columns(schema)
    roles = choose([name for name in schema.names if name not in unusable], unusable)
    chosen = pa.schema([(new, schema.field(name).type) for new, name in roles.items()])
    yield pa.RecordBatch.from_pylist([], schema=chosen)  # a file without a row has its types all the same
    for batch in file.iter_batches(_BATCH_ROWS, columns=list(roles.values()), use_threads=False):
        yield pa.RecordBatch.from_arrays([batch.column(name) for name in roles.values()], names=list(roles))


def _readable(path: Path, batches: Batches) -> Batches:
    try:
        yield from batches
    except OSError as error:  # no permission, a broken archive
        raise InputError(
            f"{path} cannot be read ({error.strerror or error}): check its permissions or copy it anew."
        ) from error
