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
        encoding, delimiter: if not UTF-8, and that of the file's name.

    Raises:
        InputError: there is no such file or column, no text, or it is in another encoding.
    """
    encoding = check_encoding(encoding or "utf-8")
    if source == "-":
        if column is not None or delimiter is not None:
            raise InputError("The standard input is read as lines, a text each: give a table as a file.")
        texts, skipped = _input_lines(encoding), Counter[str]()
    else:
        texts, skipped = _from_file(Path(source).expanduser(), column, encoding, delimiter)
    if not texts:
        raise InputError(f"{'The standard input' if source == '-' else source} holds no text; give one a line.")
    return texts, skipped


def _input_lines(encoding: str) -> list[str]:
    try:
        return list(_decoded(io.BytesIO(sys.stdin.buffer.read()), encoding))
    except UnicodeError as error:
        raise InputError(
            f"The standard input is not {encoding} text ({error}): convert it, as by `iconv -f LATIN1 -t UTF-8`."
        ) from None


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
    try:
        with open_bytes(path) as file:
            yield from _decoded(file, encoding)
    except UnicodeError:
        raise not_in_encoding(path, encoding) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error}): check it or copy it anew.") from error


def _decoded(file: io.BufferedReader | io.BytesIO, encoding: str) -> Iterator[str]:
    for line in io.TextIOWrapper(file, "utf-8-sig" if encoding == "utf-8" else encoding):
        yield line.rstrip("\n")
