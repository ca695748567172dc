"""What each column of a table is taken for, and why: shown to the user before any number is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from infomax.data.cell_types import TIME, TRUTH, WHOLE, WORDS
from infomax.data.typed_table import TypedTable, listed
from infomax.data.variables import sample
from infomax.errors import InputError

_HOLDS = {WORDS: "words", WHOLE: "whole numbers", TRUTH: "true or false", TIME: "times"}
_EXACT = 2.0**53  # whole numbers beyond are not whole in a float64
_EXAMPLES = 4
_OWN_LEVEL = 0.5  # levels a row from which words are names of rows


@dataclass(frozen=True)
class ColumnProfile:
    """One column of a table.

    Attributes:
        name: of the column.
        holds: "words", "whole numbers", "numbers", "true or false" or "times".
        discrete: whether it is taken as discrete.
        asked: whether the user said so; else it is inferred.
        levels: distinct values.
        rows: with a value.
        missing: rows without one.
        range: a few levels, or the least and the greatest value, in words.
        no_use: why it can tell nothing ("constant", "no value", "a name for each row"); None where it can.
    """

    name: str
    holds: str
    discrete: bool
    asked: bool
    levels: int
    rows: int
    missing: int
    range: str
    no_use: str | None

    @property
    def taken_as(self) -> str:
        """ "discrete" or "continuous", and whether that is a guess."""
        return ("discrete" if self.discrete else "continuous") + (" (asked)" if self.asked else "")


def profile_columns(
    table: TypedTable, *, discrete: Collection[str] = (), continuous: Collection[str] = ()
) -> Mapping[str, ColumnProfile]:
    """Name -> profile, for every column of the table.

    Whole numbers are discrete where `infomax.data.sample` says so (at most √n levels), whether or not a program wrote them
    with a decimal point; words and truth values are discrete, other numbers and times continuous.

    Raises:
        InputError: a column that is asked to be both, is none of the table's, or holds words and is asked to be continuous.
    """
    for name in (*discrete, *continuous):
        if name not in table.names:
            raise InputError(f"{table.source} has no column {name!r}; it has {listed(table.names)}.")
    if both := sorted(set(discrete) & set(continuous)):
        raise InputError(f"Column {both[0]!r} cannot be both discrete and continuous; choose one.")
    asked = dict.fromkeys(discrete, True) | dict.fromkeys(continuous, False)
    return {name: _profile(table, name, asked.get(name)) for name in table.names}


def _profile(table: TypedTable, name: str, asked: bool | None) -> ColumnProfile:
    column = table.columns.column(name)
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
        if whole := _whole(column):
            column = column.cast(WHOLE)
    else:
        whole = column.type == WHOLE
    levels, rows = pc.count_distinct(column).as_py(), len(column) - column.null_count
    if asked is False and column.type == WORDS:
        raise InputError(f"Column {name!r} holds words ({_range(column)}), not numbers: it can only be discrete.")
    inferred = _inferred(column, levels)
    is_discrete = inferred if asked is None else asked
    return ColumnProfile(
        name=name,
        holds="whole numbers" if whole else _HOLDS.get(column.type, "numbers"),
        discrete=is_discrete,
        asked=asked is not None,
        levels=levels,
        rows=rows,
        missing=len(column) - rows,
        range=_range(column),
        no_use=_no_use(column, levels, rows),
    )


def _whole(column: pa.ChunkedArray) -> bool:
    """Whether a column of floats holds whole numbers only (programs write 3.0 for 3 beside missing cells)."""
    if column.null_count == len(column):
        return False
    whole = pc.and_(pc.equal(pc.floor(column), column), pc.less(pc.abs(column), _EXACT))
    return bool(pc.all(whole).as_py())


def _inferred(column: pa.ChunkedArray, levels: int) -> bool:
    if column.type != WHOLE:
        return column.type in (WORDS, TRUTH)
    present = column.drop_null()
    return levels < 3 or bool(sample(present, present).x.discrete[0])


def _range(column: pa.ChunkedArray) -> str:
    if column.type in (WORDS, TRUTH):
        common: Any = pc.value_counts(column.drop_null())
        rows = sorted(common.to_pylist(), key=lambda row: -row["counts"])[:_EXAMPLES]
        more = " …" if len(common) > _EXAMPLES else ""
        return ", ".join(_cell(row["values"]) for row in rows) + more
    ends = pc.min_max(column)
    least, greatest = (_end(ends[name]) for name in ("min", "max"))
    return "" if least is None else f"{_cell(least)} to {_cell(greatest)}"


def _end(value: pa.Scalar) -> Any:
    try:
        return value.as_py()
    except OverflowError:
        return "a time beyond the year 9999"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:40]


def _no_use(column: pa.ChunkedArray, levels: int, rows: int) -> str | None:
    if rows < 2:
        return "no value" if not rows else "one value"
    if levels == 1:
        return "constant"
    if column.type == WHOLE and rows > 2 and _counts_rows(column):
        return "a count of the rows, which tells how the table is sorted"
    if column.type == WORDS and levels > _OWN_LEVEL * rows:
        return f"words with {levels:,} levels in {rows:,} rows: a name for each row, not a measurement"
    return None


def _counts_rows(column: pa.ChunkedArray) -> bool:
    """Whether each whole number is the one before it plus 1."""
    if column.null_count:
        return False
    steps = pc.pairwise_diff(column.combine_chunks())
    return bool(pc.all(pc.equal(steps, 1)).as_py())
