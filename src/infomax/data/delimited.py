"""CSV and TSV, streamed by pyarrow: quoted line breaks, ragged rows, cells of many megabytes."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from infomax.data.text_files import not_in_encoding, open_bytes
from infomax.errors import InputError

Roles = dict[str, str]

# A row must fit into a block; blocks grow only for files that need it, because a few of them are in memory at once.
_BLOCKS = (1 << 20, 16 << 20, 256 << 20)
_NAMES = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "vertical bars"}
# What programs write for "no value"; the same word in quotes is taken as text.
_MISSING = ["", "NaN", "nan", "NULL", "null", "<NA>", "N/A", "#N/A"]
_RAGGED = "rows whose number of cells differs from the header's"


def delimited_batches(
    path: Path, delimiter: str, encoding: str, assign: Callable[[list[str]], Roles], skipped: Counter[str]
) -> Iterator[pa.RecordBatch]:
    """Batches of string columns named by role; ragged rows are counted in `skipped`."""
    roles = assign(_header(path, delimiter, encoding))
    done = 0
    for block_size in _BLOCKS:
        ragged: Counter[str] = Counter()
        try:
            # a larger block starts the file anew, so rows that have been given already are passed over
            for batch in _from_row(done, _open(path, delimiter, encoding, roles, block_size, ragged)):
                done += len(batch)
                yield pa.RecordBatch.from_arrays([batch.column(name) for name in roles.values()], names=list(roles))
        except UnicodeError:
            raise not_in_encoding(path, encoding) from None
        except pa.ArrowInvalid as error:
            if "invalid UTF8" in str(error):
                raise not_in_encoding(path, encoding) from None
            if "straddling" not in str(error):
                raise InputError(f"{path} cannot be read as delimited text: {error}.") from error
        else:
            skipped.update(ragged)
            return
    raise InputError(
        f"{path} has a row of more than {_BLOCKS[-1] >> 20} MiB after row {done:,}: probably a quote that is never "
        "closed; close or double it, or shorten the row."
    )


def _header(path: Path, delimiter: str, encoding: str) -> list[str]:
    if delimiter not in _NAMES and len(delimiter) != 1:
        raise InputError(f"A delimiter is one character, not {delimiter!r}.")
    decoding = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        with open_bytes(path) as file:
            rows = csv.reader(io.TextIOWrapper(file, decoding, newline=""), delimiter=delimiter)
            names = next((row for row in rows if row), [])
    except UnicodeError:
        raise not_in_encoding(path, encoding) from None
    except csv.Error as error:
        raise InputError(f"The header of {path} cannot be read: {error}.") from error
    if not names:
        raise InputError(f"{path} is empty: give a file with a header and rows.")
    if len(names) == 1:
        for other, name in _NAMES.items():
            if other in names[0]:
                raise InputError(
                    f"{path} has one column, {names[0]!r}, when split at {_NAMES.get(delimiter, repr(delimiter))}, but "
                    f"its header holds {name}: pass delimiter={other!r}."
                )
    return names


def _open(
    path: Path, delimiter: str, encoding: str, roles: Roles, block_size: int, ragged: Counter[str]
) -> Iterator[pa.RecordBatch]:
    def skip(row: pacsv.InvalidRow) -> str:
        if "\n" in row.text and row.text.count('"') % 2:
            ragged["unclosed"] += 1
            return "error"
        ragged[_RAGGED] += 1
        return "skip"

    names = list(dict.fromkeys(roles.values()))
    # Opened here, not by pyarrow: its own reading threads may still hold the handler when a process ends, and abort it.
    try:
        with open_bytes(path) as file:
            yield from pacsv.open_csv(
                file,
                read_options=pacsv.ReadOptions(
                    use_threads=False, block_size=block_size, encoding="utf8" if encoding == "utf-8" else encoding
                ),
                parse_options=pacsv.ParseOptions(
                    delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip
                ),
                convert_options=pacsv.ConvertOptions(
                    include_columns=names,
                    column_types=dict.fromkeys(names, pa.string()),
                    null_values=_MISSING,
                    strings_can_be_null=True,
                    quoted_strings_can_be_null=False,
                ),
            )
    except pa.ArrowInvalid as error:
        if ragged["unclosed"]:
            raise InputError(
                f"{path} has a quote that is never closed: close it, or double it to mean itself."
            ) from error
        raise


def _from_row(row: int, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if row < len(batch):
            yield batch.slice(row)
        row = max(0, row - len(batch))
