"""`read_table`: a file or data frame of any columns, typed, and mapped from the disk rather than loaded.

A text file passes through memory twice in small batches: once to see what every cell of a column is, once to write the
columns as such to an Arrow file in a temporary folder, from which each column is mapped when it is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from infomax.data.arrow_file import TemporaryFolder, map_arrow, write_arrow
from infomax.data.cell_types import cleaned, from_text, stored, stored_as, unusable_columns, wider
from infomax.data.table_file import Batches, TableFile, table_file
from infomax.errors import InputError

_BATCH_ROWS = 65_536
UNNAMED_INDEX = "__index_level_"  # what pandas calls an index without a name where it writes one
Wanted = Sequence[str] | Callable[[list[str]], Sequence[str]]


@dataclass(frozen=True)
class TypedTable:
    """Columns of whole numbers, numbers, truth values, times and words, equally long.

    Attributes:
        source: where they come from, in words.
        columns: the table; of a file, mapped.
        skipped: reason -> rows of the file that could not be read.
        left_out: column -> why it is not among the columns.
        file: the Arrow file that the table is mapped from, for other processes to map; None for one in memory.
        owner: what must outlive the table, such as the temporary folder of the file.
    """

    source: str
    columns: pa.Table
    skipped: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    file: Path | None = None
    owner: object = None

    def __len__(self) -> int:
        return self.columns.num_rows

    @property
    def names(self) -> tuple[str, ...]:
        """Of the columns, in their order."""
        return tuple(self.columns.column_names)

    @property
    def unread(self) -> str:
        """The sentence to end a message with where rows of the file could not be read, after a space; else empty."""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in self.skipped.items())
        return f" Of {self.source}, these could not be read: {reasons}." if reasons else ""


@dataclass
class _Choice:
    """Which columns to read: all that can be used, those named, or those that a function of all names gives."""

    source: str
    wanted: Wanted | None
    left_out: dict[str, str] = field(default_factory=dict)

    def __call__(self, names: list[str], unusable: dict[str, str]) -> dict[str, str]:
        """New name -> name of each column. Raises InputError for a wanted one that is not there, or is there twice."""
        self.left_out = {name: why for name, why in unusable.items() if not name.startswith(UNNAMED_INDEX)}
        plain = [name.strip() or f"column {number}" for number, name in enumerate(names, start=1)]
        if twice := [name for name, count in Counter(plain).items() if count > 1]:
            raise InputError(f"{self.source} has {len(twice)} column names more than once ({twice[0]!r}): rename them.")
        found = dict(zip(plain, names, strict=True))
        if self.wanted is None:
            return found
        wanted = self.wanted(list(found)) if callable(self.wanted) else self.wanted
        for name in wanted:
            if name not in found:
                reason = f" that can be used ({unusable[name]})" if name in unusable else ""
                raise InputError(f"{self.source} has no column {name!r}{reason}; it has {listed(list(found))}.")
        return {name: found[name] for name in dict.fromkeys(wanted)}


def read_table(
    source: Any, *, columns: Wanted | None = None, encoding: str | None = None, delimiter: str | None = None
) -> TypedTable:
    """The columns of a table, typed.

    Args:
        source: a CSV, TSV, JSON-lines or Parquet file (text files also compressed), or a pandas, polars or pyarrow
            table.
        columns: the columns to read, or a function from the names of all to those; None for all.
        encoding: of a text file, if not UTF-8.
        delimiter: of a text file, if not that of its name.

    Raises:
        InputError: the file is missing, is not what its name says, holds no row, or lacks one of `columns`.
        InfomaxError: the temporary folder is full.
    """
    if not isinstance(source, str | Path):
        return _in_memory(source, columns)
    file = table_file(Path(source).expanduser(), encoding=encoding, delimiter=delimiter)
    choice, skipped, owner = _Choice(file.source, columns), Counter[str](), TemporaryFolder()
    path = owner.path / "table.arrow"
    schema, batches = _typed(file, choice, skipped)
    write_arrow(path, schema, batches)
    table = TypedTable(file.source, map_arrow(path), dict(skipped), choice.left_out, path, owner)
    if not len(table):
        raise InputError(f"{file.source} holds no row that can be read; give a header and rows.{table.unread}")
    return table


def listed(names: Sequence[str], limit: int = 30) -> str:
    """Names in quotes for an error message, the first 30 of many.

    >>> listed(["age", "sex"])
    "'age', 'sex'"
    """
    shown = ", ".join(repr(name) for name in names[:limit])
    return f"{shown} and {len(names) - limit:,} more" if len(names) > limit else shown or "none"


def _typed(file: TableFile, choice: _Choice, skipped: Counter[str]) -> tuple[pa.Schema, Batches]:
    """The schema of the chosen columns, and their batches."""
    if file.typed:
        batches = file.batches(choice, skipped)
        first = next(batches)
        schema = pa.schema([(f.name, stored_as(f.type)) for f in first.schema])
        return schema, _stored(chain([first], batches), schema)
    kinds: dict[str, pa.DataType | None] = {}
    for batch in file.batches(choice, Counter()):
        for name, cells in zip(batch.schema.names, batch.columns, strict=True):
            kinds[name] = wider(kinds.get(name), cleaned(cells))
    schema = pa.schema([(name, from_text(pa.array([], pa.string()), kind).type) for name, kind in kinds.items()])
    return schema, (
        pa.RecordBatch.from_arrays(
            [from_text(cleaned(batch.column(name)), kind) for name, kind in kinds.items()], schema=schema
        )
        for batch in file.batches(choice, skipped)
    )


def _stored(batches: Batches, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield pa.RecordBatch.from_arrays([stored(batch.column(name), name) for name in schema.names], schema=schema)


def _in_memory(source: Any, columns: Wanted | None) -> TypedTable:
    if not hasattr(source, "__arrow_c_stream__"):
        raise InputError(
            f"Cannot read a table from {type(source).__name__}: give the path of a CSV, TSV, JSON-lines or Parquet file, "
            "or a pandas, polars or pyarrow table."
        )
    try:
        table = pa.table(source)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InputError(
            f"The table cannot be read ({error}): give each column a name of its own, and text or numbers."
        ) from error
    unusable = unusable_columns(table.schema)
    choice = _Choice("the table", columns)
    roles = choice([name for name in table.column_names if name not in unusable], unusable)
    if not table.num_rows:
        raise InputError("The table holds no row.")
    schema = pa.schema([(new, stored_as(table.schema.field(name).type)) for new, name in roles.items()])
    chosen = table.select(list(roles.values())).rename_columns(list(roles)).to_batches(max_chunksize=_BATCH_ROWS)
    return TypedTable("the table", pa.Table.from_batches(_stored(iter(chosen), schema), schema), {}, choice.left_out)
