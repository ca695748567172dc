"""The texts of one file, streamed: the lines of a plain file, a column of a table, the prose of Python source.

Blocks hold about a million characters, so memory does not grow with the file. A longer line is cut between words, and
its pieces are texts of their own; what is cut or left out is counted.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from infomax.data.delimited import delimited_batches
from infomax.data.jsonl import jsonl_batches
from infomax.data.prose_source import prose_of
from infomax.data.tables import parquet_batches
from infomax.data.text_files import not_in_encoding, open_bytes
from infomax.errors import InputError

DELIMITERS = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
JSON = (".jsonl", ".ndjson", ".json")
PARQUET = (".parquet", ".pq")
TABLES = (*DELIMITERS, *JSON, *PARQUET)
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".br")
BLOCK = 1 << 20  # characters
_COLUMNS = ("text", "content", "body")  # where none is named
_CUT = "lines of more than a million characters, cut between words"


def text_blocks(
    path: Path,
    *,
    column: str | None = None,
    encoding: str = "utf-8",
    delimiter: str | None = None,
    skipped: Counter[str],
) -> Iterator[list[str]]:
    """Blocks of the texts of a file, those of white space alone left out.

    Args:
        column: of a table; by default "text", "content", "body" or its only one.
        encoding, delimiter: of a text file, of a table; a delimiter makes any file a table.
        skipped: counts what is left out or cut, by reason.

    Raises:
        InputError: the file is missing, binary, in another encoding, or lacks the column.
    """
    if not path.is_file():
        raise InputError(f"No file {path}: check the path (from {Path.cwd()}).")
    try:
        yield from _full(_texts(path, column, encoding, delimiter, skipped))
    except OSError as error:  # no permission, a broken archive
        raise InputError(f"{path} cannot be read ({error.strerror or error}): check it or copy it anew.") from error


def column_batches(
    path: Path, column: str | None, *, encoding: str, delimiter: str | None, skipped: Counter[str]
) -> Iterator[pa.RecordBatch]:
    """Batches of one column of a table, named "text"; by default its "text", "content", "body" or only one.

    Raises:
        InputError: it lacks the column, or is no such table.
    """

    def assign(names: list[str]) -> dict[str, str]:
        known = [column] if column else [*(name for name in _COLUMNS if name in names), *names[: len(names) == 1]]
        if not known or known[0] not in names:
            asked = f"no column {column!r}" if column else "several columns, none of them named 'text'"
            raise InputError(
                f"{path} has {asked}; it has {', '.join(map(repr, names)) or 'none'}: name one by column=."
            )
        return {"text": known[0]}

    kind = kind_of(path)
    if kind in PARQUET:
        return parquet_batches(path, assign)
    if kind in JSON:
        return jsonl_batches(path, encoding, assign, skipped)
    return delimited_batches(path, delimiter or DELIMITERS.get(kind, ","), encoding, assign, skipped)


def is_binary(path: Path) -> bool:
    """Whether the file's first bytes hold a null, as those of no text do (but of UTF-16)."""
    with open_bytes(path) as file:
        head = file.peek(8192)[:8192]
    return b"\0" in head and not head.startswith((b"\xff\xfe", b"\xfe\xff"))


def kind_of(path: Path) -> str:
    """The ending that tells what a file holds, in lower case, that of its compression left out."""
    return next((suffix.lower() for suffix in reversed(path.suffixes) if suffix.lower() not in _COMPRESSED), "")


def _texts(
    path: Path, column: str | None, encoding: str, delimiter: str | None, skipped: Counter[str]
) -> Iterator[list[str]]:
    kind = kind_of(path)
    if kind == ".py":
        yield prose_of(str(path))
    elif kind in TABLES or delimiter:
        for batch in column_batches(path, column, encoding=encoding, delimiter=delimiter, skipped=skipped):
            yield [piece for text in batch.column("text").to_pylist() for piece in _pieces(text or "", skipped)]
    elif column:
        raise InputError(
            f"{path} is no table, so column={column!r} means nothing: leave it out, or give delimiter=','."
        )
    elif is_binary(path):
        raise InputError(f"{path} is no text (it holds null bytes): give text, or a table that ends in .parquet.")
    else:
        yield from _lines(path, encoding, skipped)


def _lines(path: Path, encoding: str, skipped: Counter[str]) -> Iterator[list[str]]:
    with open_bytes(path) as file:
        reader = io.TextIOWrapper(file, "utf-8-sig" if encoding == "utf-8" else encoding)
        try:
            rest = ""
            while line := reader.readline(BLOCK):
                rest += line
                if line.endswith("\n") or len(line) < BLOCK:
                    yield [rest]
                    rest = ""
                else:
                    skipped[_CUT] += 1
                    head, rest = _cut(rest)
                    yield [head]
            yield [rest]
        except UnicodeError:
            raise not_in_encoding(path, encoding) from None


def _pieces(text: str, skipped: Counter[str]) -> Iterator[str]:
    while len(text) > BLOCK:
        skipped[_CUT] += 1
        head, tail = _cut(text[:BLOCK])
        yield head
        text = tail + text[BLOCK:]
    yield text


def _cut(text: str) -> tuple[str, str]:
    """The text up to its last blank, and what follows; the whole text where no blank stands in its second half."""
    place = text.rfind(" ", len(text) // 2)
    return (text, "") if place < 0 else (text[:place], text[place + 1 :])


def _full(blocks: Iterator[list[str]]) -> Iterator[list[str]]:
    """The same texts, stripped, in blocks of about `BLOCK` characters; blank ones left out."""
    block, size = list[str](), 0
    for texts in blocks:
        for text in texts:
            if text := text.strip():
                block.append(text)
                size += len(text)
            if size >= BLOCK:
                yield block
                block, size = [], 0
    if block:
        yield block
