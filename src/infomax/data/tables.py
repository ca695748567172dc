"""Parquet files and tables in memory: batches of string columns named by role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from infomax.data.cell_types import decoded
from infomax.errors import InputError

_BATCH_BYTES = 8 << 20
Assign = Callable[[list[str]], dict[str, str]]


def parquet_batches(path: Path, assign: Assign) -> Iterator[pa.RecordBatch]:
    """Batches of a Parquet file, about 8 MiB each."""
    try:
        file = pq.ParquetFile(path, memory_map=True, pre_buffer=False)
    except pa.ArrowInvalid as error:
        raise InputError(f"{path} is not a Parquet file ({error}): name files after what they hold.") from error
    roles = assign(file.schema_arrow.names)
    _refuse_nested(file.schema_arrow, roles, str(path))
    groups = (file.metadata.row_group(i) for i in range(file.metadata.num_row_groups))
    row_bytes = max((group.total_byte_size / max(group.num_rows, 1) for group in groups), default=1.0)
    rows = int(max(1, min(65_536, _BATCH_BYTES / max(row_bytes, 1.0))))
    for batch in file.iter_batches(rows, columns=list(dict.fromkeys(roles.values())), use_threads=False):
        yield _as_roles(batch, roles, str(path))


def table_batches(table: pa.Table, assign: Assign, source: str) -> Iterator[pa.RecordBatch]:
    """Batches of a table in memory."""
    roles = assign(table.column_names)
    _refuse_nested(table.schema, roles, source)
    for batch in table.select(list(dict.fromkeys(roles.values()))).to_batches(max_chunksize=16_384):
        yield _as_roles(batch, roles, source)


def _as_roles(batch: pa.RecordBatch, roles: dict[str, str], source: str) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays(
        [_text(batch.column(name), name, source) for name in roles.values()], names=list(roles)
    )


def _text(column: pa.Array, name: str, source: str) -> pa.Array:
    cells = decoded(column)
    if pa.types.is_floating(cells.type):  # as every other source: a cell without a number is empty
        cells = pc.if_else(pc.is_nan(cells), pa.scalar(None, cells.type), cells)
    try:
        return cells.cast(pa.string())
    except pa.ArrowException as error:  # bytes that are not UTF-8, types without a text form
        raise InputError(f"Column {name!r} of {source} cannot be text ({error}): convert it to strings.") from error


def _refuse_nested(schema: pa.Schema, roles: dict[str, str], source: str) -> None:
    for role, name in roles.items():
        kind = schema.field(name).type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if pa.types.is_nested(kind):
            raise InputError(f"Column {name!r} of {source} (the {role}) holds {kind}: give a column of text.")
