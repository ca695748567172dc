"""What the cells of a column are: numbers, truth values, times or words, read from text or from typed Arrow columns.

A column of text is of the first type of this ladder that reads every cell of it: whole numbers, numbers, true and false,
ISO times, words. One cell that is no number makes words of a column, so the words that programs write for "no value"
are missing cells, not words.
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from infomax.errors import InputError

WORDS, NUMBERS, WHOLE, TRUTH, TIME = pa.string(), pa.float64(), pa.int64(), pa.bool_(), pa.timestamp("us")
_LADDER = (WHOLE, NUMBERS, TRUTH, TIME, pa.timestamp("us", "UTC"), WORDS)
MISSING = ("", "NA", "N/A", "n/a", "na", "#N/A", "#NA", "<NA>", "NaN", "nan", "-nan", "NULL", "null", "None", "?")


def cleaned(cells: pa.Array) -> pa.Array:
    """Text cells without the spaces around them, and null where they say that there is no value."""
    trimmed = pc.utf8_trim_whitespace(cells)
    return pc.if_else(pc.is_in(trimmed, value_set=pa.array(MISSING)), pa.scalar(None, pa.string()), trimmed)


def wider(known: pa.DataType | None, cells: pa.Array) -> pa.DataType | None:
    """The type of a column that was `known` (None: no cell seen yet) once these clean text cells are part of it.

    >>> wider(None, pa.array(["1", None])), wider(pa.int64(), pa.array(["1.5"])), wider(pa.float64(), pa.array(["a"]))
    (DataType(int64), DataType(double), DataType(string))
    """
    if cells.null_count == len(cells) or known == WORDS:
        return known
    steps = _LADDER if known is None else (known, NUMBERS, WORDS) if known == WHOLE else (known, WORDS)
    return next(step for step in steps if _reads(cells, step))


def _reads(cells: pa.Array, kind: pa.DataType) -> bool:
    try:
        _cast(cells, kind)
    except pa.ArrowInvalid:
        return False
    return True


def _cast(cells: pa.Array, kind: pa.DataType) -> pa.Array:
    """Times to the microsecond; digits beyond are cut, as pandas writes nine."""
    if pa.types.is_timestamp(kind):
        cells = pc.replace_substring_regex(cells, r"(:\d\d\.\d{6})\d{1,3}", r"\1")
    return cells.cast(kind)


def from_text(cells: pa.Array, kind: pa.DataType | None) -> pa.Array:
    """Clean text cells as what `wider` found; a column without a cell becomes numbers, all missing."""
    typed = _cast(cells, kind or NUMBERS)
    return typed.cast(TIME) if pa.types.is_timestamp(typed.type) else typed


def stored_as(kind: pa.DataType) -> pa.DataType | None:
    """The type under which a typed column is kept; None for one that holds no single values (lists, records, bytes)."""
    if pa.types.is_dictionary(kind):
        return stored_as(kind.value_type)
    if pa.types.is_boolean(kind):
        return TRUTH
    if pa.types.is_integer(kind):
        return WHOLE if kind != pa.uint64() else NUMBERS
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return NUMBERS
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return TIME
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return WORDS
    return WHOLE if pa.types.is_duration(kind) or pa.types.is_time(kind) else None


def unusable_columns(schema: pa.Schema) -> dict[str, str]:
    """Why some columns of a typed table are none to ask about: their type, or that they number the rows of a data frame."""
    index = [name for name in (schema.pandas_metadata or {}).get("index_columns", []) if isinstance(name, str)]
    return {f.name: f"it holds {f.type}" for f in schema if stored_as(f.type) is None} | {
        name: "it is the index of a data frame, which `reset_index()` makes a column"
        for name in index
        if name in schema.names
    }


def decoded(cells: pa.Array) -> pa.Array:
    """The values of a dictionary, one a cell; other columns as they are."""
    if not pa.types.is_dictionary(cells.type):
        return cells
    if pa.types.is_string_view(cells.type.value_type):  # of which pyarrow cannot take single ones
        cells = pa.DictionaryArray.from_arrays(cells.indices, cells.dictionary.cast(pa.string()))
    return cells.dictionary_decode()


def stored(cells: pa.Array, name: str) -> pa.Array:
    """A typed column as it is kept. Raises InputError for a value that its type cannot hold."""
    cells = decoded(cells)
    try:
        if pa.types.is_time32(cells.type):
            cells = cells.cast(pa.int32())
        return cells.cast(stored_as(cells.type), safe=False)
    except pa.ArrowException as error:
        raise InputError(f"Column {name!r} cannot be read ({error}): convert it to numbers or text.") from error
