"""Single texts, for `encode` and `search`: a line each, or a cell of a table's column each.

Texts and rows stay side by side; rows that cannot be read are counted.
"""

from __future__ import annotations

import io
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from infomax.data.text_files import check_encoding, not_in_encoding, open_bytes
from infomax.data.text_stream import TABLES, column_batches, kind_of
from infomax.errors import InputError


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
    if column is None:
        if kind_of(path) in TABLES:
            raise InputError(f"{path} is a table; name the column of its texts by --column.")
        return list(_lines(path, encoding)), Counter()
    skipped: Counter[str] = Counter()
    batches = column_batches(path, column, encoding=encoding, delimiter=delimiter, skipped=skipped)
    return [text or "" for batch in batches for text in batch.column("text").to_pylist()], skipped


def _lines(path: Path, encoding: str) -> Iterator[str]:
    with open_bytes(path) as file:
        try:
            for line in io.TextIOWrapper(file, "utf-8-sig" if encoding == "utf-8" else encoding):
                yield line.rstrip("\n")
        except UnicodeDecodeError:
            raise not_in_encoding(path, encoding) from None
