"""`read_pairs`: one door for files, tables, sequences, arrays and Python source."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from infomax.data.array_pairs import array_pairs, is_array
from infomax.data.arrow_file import TemporaryFolder, blaming_disk, map_arrow, write_arrow
from infomax.data.delimited import delimited_batches
from infomax.data.in_memory import as_table
from infomax.data.jsonl import jsonl_batches
from infomax.data.pairs import Pairs, ReadReport
from infomax.data.python_pairs import python_pairs
from infomax.data.roles import Request, assign_roles
from infomax.data.tables import parquet_batches, table_batches
from infomax.data.text_files import check_encoding
from infomax.data.text_pairs import text_pairs
from infomax.data.valid_rows import Tally, valid_rows
from infomax.errors import InputError

_DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
_JSON = (".jsonl", ".ndjson", ".json")
_PARQUET = (".parquet", ".pq")
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".br")
_VERSION = 2  # of what a cache holds: raise it whenever the same file would give other rows


def read_pairs(
    source: Any,
    *,
    anchor: str | None = None,
    candidate: str | None = None,
    group: str | None = None,
    label: str | None = None,
    scores: str | None = None,
    cache: str | os.PathLike[str] | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Pairs:
    """Pairs from a file, from Python source, or from objects in memory.

    Files are streamed: valid rows go to an Arrow file that is memory-mapped, so they may be larger than memory. Rows
    that are no pair (an empty cell, a ragged row, a broken line) are skipped and counted in `report.skipped`.

    Args:
        source: a CSV, TSV, JSON-lines or Parquet file (text files may end in .gz); a folder of Python source, or
            "python" for that of this environment; a list of (anchor, candidate) texts; a tuple (anchors, candidates)
            of two sequences of texts or two arrays of one row per pair; a pandas, polars or pyarrow table; or Pairs.
        anchor, candidate: names of the columns; by default well-known names ("query" and "positive", say), else the
            first two columns. Numbers are taken as text.
        group: column whose equal values stay on one side of a split; by default each row is its own group.
        label: column that shows a candidate to a person.
        scores: column that says how alike the two are, for `spearman`; rows that say nothing are skipped.
        cache: folder that keeps the Arrow file for the next call; by default it lives as long as the Pairs.
        encoding: of a text file; UTF-8 by default.
        delimiter: of a CSV or TSV file, if it is not that of its name.

    Raises:
        InputError: the source cannot give pairs; the message says why and what to do.
        InfomaxError: there is no room for the Arrow file.
    """
    if isinstance(source, Pairs):
        return source
    request = Request(anchor, candidate, group, label, scores)
    if isinstance(source, str | os.PathLike):
        return _from_path(source, request, Path(cache) if cache is not None else None, encoding, delimiter)
    if isinstance(source, tuple) and len(source) == 2 and all(is_array(values) for values in source):
        return array_pairs(*source)
    tally = Tally()
    batches = table_batches(as_table(source), lambda names: assign_roles(names, request, "the table"), "the table")
    kept = list(valid_rows(batches, tally))
    table = pa.Table.from_batches(kept) if kept else pa.table({"anchor": [], "candidate": []})
    return text_pairs(table, _report("data in memory", tally))


def _from_path(
    source: str | os.PathLike[str], request: Request, cache: Path | None, encoding: str | None, delimiter: str | None
) -> Pairs:
    path = Path(source).expanduser()
    if source == "python":  # a folder of that name is "./python"
        return python_pairs(cache=cache)
    if path.is_dir() or path.suffix == ".py":
        return python_pairs(path, cache=cache)
    if not path.is_file():
        raise InputError(f"No file {path}: check the path (from {Path.cwd()}).")
    if not path.stat().st_size:
        raise InputError(f"{path} is empty: give a file with a header and rows.")
    encoding = check_encoding(encoding or "utf-8")
    owner = None if cache else TemporaryFolder()
    folder = cache or owner.path  # type: ignore[union-attr]
    key = "\n".join(map(str, (_VERSION, path.resolve(), *_stamp(path), request, encoding, delimiter)))
    arrow = folder / f"pairs-{blake2b(key.encode(), digest_size=8).hexdigest()}.arrow"
    report = _kept_report(arrow)
    if report is None:
        report = _write(path, arrow, _reader(path, request, encoding, delimiter))
    return text_pairs(map_arrow(arrow), report, owner)


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _reader(
    path: Path, request: Request, encoding: str, delimiter: str | None
) -> Callable[[Tally], Iterator[pa.RecordBatch]]:
    """The stream of batches that fits the file's name."""
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in _COMPRESSED]
    kind = suffixes[-1] if suffixes else ""

    def assign(names: Sequence[str]) -> dict[str, str]:
        return assign_roles(names, request, str(path))

    if kind in _PARQUET:
        return lambda _: parquet_batches(path, assign)
    if kind in _JSON:
        return lambda tally: jsonl_batches(path, encoding, assign, tally.skipped)
    if kind in _DELIMITERS or delimiter:
        used = delimiter or _DELIMITERS[kind]
        return lambda tally: delimited_batches(path, used, encoding, assign, tally.skipped)
    raise InputError(
        f"{path} should end in .csv, .tsv, .jsonl or .parquet (text files also in .gz): rename or convert it."
    )


def _write(path: Path, arrow: Path, read: Callable[[Tally], Iterator[pa.RecordBatch]]) -> ReadReport:
    tally = Tally()
    batches = valid_rows(_readable(path, read(tally)), tally)
    first = next(batches, pa.RecordBatch.from_pydict({"anchor": [], "candidate": []}))
    write_arrow(arrow, first.schema, chain([first], batches))
    report = _report(str(path), tally)
    with blaming_disk(arrow.parent):
        arrow.with_suffix(".json").write_text(json.dumps(asdict(report)))
    return report


def _readable(path: Path, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except OSError as error:  # no permission, a broken archive
        raise InputError(
            f"{path} cannot be read ({error.strerror or error}): check its permissions or copy it anew."
        ) from error


def _kept_report(arrow: Path) -> ReadReport | None:
    """The report beside a complete Arrow file of an earlier call."""
    try:
        map_arrow(arrow)
        return ReadReport(**json.loads(arrow.with_suffix(".json").read_text()))
    except (OSError, ValueError, TypeError):  # missing, cut short or foreign (ArrowInvalid is a ValueError)
        return None


def _report(source: str, tally: Tally) -> ReadReport:
    ragged = sum(tally.skipped.values()) - (tally.read - tally.kept)  # rows that never became part of a batch
    skipped = {reason: count for reason, count in tally.skipped.items() if count}
    return ReadReport(source, tally.read + ragged, tally.kept, skipped)
