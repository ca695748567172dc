"""Containers of any library as plain columns: name, numbers or level codes, and which entries are missing.

Arrow is the lingua franca: what is not a plain numeric array goes through `pyarrow.array`, which knows pandas, polars and
Python objects, keeps nulls apart from numbers, and refuses a column of mixed types instead of guessing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infomax.errors import InputError


@dataclass(frozen=True)
class RawColumn:
    """n entries of one column.

    Attributes:
        values: (n,) float64 or integers; an integer code for each entry where the kind is "level".
        missing: (n,) bool.
        kind: "float" (dates too), "integer", or "level" (booleans, texts, categories).
    """

    name: str
    values: np.ndarray
    missing: np.ndarray
    kind: Literal["float", "integer", "level"]


def raw_columns(source: Any, side: str) -> list[RawColumn]:
    """The columns of an array, series, data frame, mapping or sequence; `side` names it in errors and in columns.

    Raises:
        InputError: a container or a column that cannot be read as numbers or levels, or that has no column.
    """
    columns = [_column(name, entries, side) for name, entries in _named(source, side)]
    if not columns:
        raise InputError(f"{side} has no column: give (n,) or (n, d) with d at least 1.")
    lengths = {len(column.values) for column in columns}
    if len(lengths) > 1:
        raise InputError(f"The columns of {side} have different lengths ({sorted(lengths)}): give one entry a row.")
    return columns


def _named(source: Any, side: str) -> list[tuple[str, Any]]:
    """(name, entries) of each column, in the library that it came in."""
    if source is None or isinstance(source, str | bytes | set | frozenset):
        raise InputError(
            f"{side} is {str(source)[:60]!r}: give an array, a series or a data frame, one row per observation."
        )
    if isinstance(source, np.ma.MaskedArray):
        source = np.ma.filled(source.astype(float), np.nan) if source.dtype.kind == "f" else source.tolist()
    if hasattr(source, "detach") and hasattr(source, "cpu"):
        if "strided" not in str(source.layout):
            raise InputError(f"{side} is a sparse tensor: give it dense, {side}.to_dense().")
        source = _from_torch(source)
    if hasattr(source, "to_arrow"):  # polars
        source = _renamed(source)
    if hasattr(source, "tocsr"):
        raise InputError(f"{side} is a sparse matrix: give it dense, {side}.toarray().")
    if isinstance(source, Mapping):
        return [(str(name), _listed(entries)) for name, entries in source.items()]
    if isinstance(source, pa.Table | pa.RecordBatch):
        return list(zip(source.column_names, source.columns, strict=True))
    if isinstance(source, pa.Array | pa.ChunkedArray):
        return [(side, source)]
    if hasattr(source, "columns") and hasattr(source, "iloc"):  # a pandas frame; positions, as names may repeat
        return [(str(name), source.iloc[:, i]) for i, name in enumerate(source.columns)]
    if hasattr(source, "iloc") or type(source).__name__ == "Index":  # a pandas series
        return [(side if getattr(source, "name", None) is None else str(source.name), source)]
    if not hasattr(source, "dtype"):
        source = _from_objects(source, side)
        if isinstance(source, list):
            return [(_numbered(side, i, len(source)), entries) for i, entries in enumerate(source)]
    return _of_array(np.asarray(source), side)


def _renamed(source: Any) -> Any:
    if type(source).__name__ == "DataFrame":
        return source.to_arrow()
    return pa.table({source.name: source.to_arrow()}) if source.name else source.to_arrow()


def _from_torch(tensor: Any) -> np.ndarray:
    tensor = tensor.detach().cpu()
    if tensor.dtype.is_floating_point:
        tensor = tensor.double()
    return tensor.resolve_conj().numpy()


def _listed(entries: Any) -> Any:
    return entries if hasattr(entries, "__len__") else list(entries)


def _from_objects(source: Any, side: str) -> np.ndarray | list[list[Any]]:
    """Entries of a plain sequence by column; each is still a Python object, as numpy would turn 1 and "a" into texts."""
    if hasattr(source, "__array__"):
        return np.asarray(source)
    if not isinstance(source, Iterable):
        raise InputError(f"{side} is {type(source).__name__}: give an array, a series, a data frame or a list.")
    rows = [_python(entry) for entry in source]
    nested = [isinstance(row, Sequence | np.ndarray) and not isinstance(row, str | bytes) for row in rows]
    if not any(nested):
        return [rows]
    widths = {len(row) for row in rows} if all(nested) else set()
    if len(widths) != 1:
        raise InputError(f"The rows of {side} differ in length or kind: give n rows of d entries each.")
    return [list(column) for column in zip(*rows, strict=True)]


def _python(entry: Any) -> Any:
    """A zero-dimensional array or tensor as its number."""
    return entry.item() if hasattr(entry, "item") and getattr(entry, "ndim", 1) == 0 else entry


def _of_array(array: np.ndarray, side: str) -> list[tuple[str, Any]]:
    if array.ndim not in (1, 2):
        raise InputError(f"{side} has shape {array.shape}: give (n,) or (n, d), one row per observation.")
    if array.dtype.names:
        return [(name, array[name]) for name in array.dtype.names]
    if array.ndim == 1:
        return [(side, array)]
    return [(_numbered(side, i, array.shape[1]), array[:, i]) for i in range(array.shape[1])]


def _numbered(side: str, i: int, columns: int) -> str:
    return side if columns == 1 else f"{side}{i}"


def _column(name: str, entries: Any, side: str) -> RawColumn:
    where = f"Column {name!r} of {side}" if name != side else f"Column {name!r}"
    if hasattr(entries, "to_arrow"):
        entries = entries.to_arrow()
    if isinstance(entries, np.ndarray) and entries.dtype.kind in "fiub":
        return _numeric(name, entries)
    if getattr(getattr(entries, "dtype", None), "kind", "") == "c":
        raise InputError(f"{where} is complex: give its real and imaginary parts as two columns.")
    if isinstance(entries, np.ndarray) and entries.dtype == object:
        entries = entries.tolist()
    if isinstance(entries, np.ndarray) and entries.dtype.kind in "mM":
        entries = _shorter_units(entries)
    if not isinstance(entries, pa.Array | pa.ChunkedArray):
        try:
            entries = pa.array(entries, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise InputError(
                f"{where} holds entries of mixed or unknown types ({_short(error)}): make it numbers, or texts."
            ) from error
    return _from_arrow(name, entries, where)


def _shorter_units(times: np.ndarray) -> np.ndarray:
    """Arrow knows no years, months or weeks, nor days of a span."""
    longer = np.datetime_data(times.dtype)[0] in ("Y", "M", "W", "D", "h", "m")
    return times.astype(f"{times.dtype.kind}8[s]") if longer else times


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def _numeric(name: str, values: np.ndarray) -> RawColumn:
    if values.dtype.kind == "f":
        with np.errstate(over="ignore"):
            values = values.astype(np.float64)
        return RawColumn(name, values, np.isnan(values), "float")
    missing = np.zeros(len(values), dtype=bool)
    if values.dtype.kind == "b":
        return RawColumn(name, values.astype(np.int64), missing, "level")
    return RawColumn(name, values, missing, "integer")


def _from_arrow(name: str, column: pa.Array | pa.ChunkedArray, where: str) -> RawColumn:
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # older Arrow hands back one chunk, or none
            column = column.chunk(0) if column.num_chunks else pa.array([], type=column.type)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    kind = column.type
    if pa.types.is_null(kind):
        return RawColumn(name, np.zeros(len(column)), missing, "float")
    if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
        values = column.cast(pa.float64()).fill_null(float("nan")).to_numpy(zero_copy_only=False)
        return RawColumn(name, values, np.isnan(values), "float")
    if pa.types.is_integer(kind):
        return RawColumn(name, column.fill_null(0).to_numpy(zero_copy_only=False), missing, "integer")
    if pa.types.is_temporal(kind):
        return RawColumn(name, _elapsed(column, missing), missing, "float")
    if pa.types.is_boolean(kind) or pa.types.is_dictionary(kind) or _is_text(kind):
        encoded = column if pa.types.is_dictionary(kind) else pc.dictionary_encode(column)
        codes = encoded.indices.fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        return RawColumn(name, codes, missing, "level")
    raise InputError(f"{where} holds {kind}: give numbers, dates, booleans, texts or categories.")


def _is_text(kind: pa.DataType) -> bool:
    return any(
        test(kind)
        for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    ) or str(kind).endswith("_view")


def _elapsed(column: pa.Array, missing: np.ndarray) -> np.ndarray:
    """Time since the first entry, so that a float64 keeps nanoseconds."""
    narrow = pa.types.is_date32(column.type) or pa.types.is_time32(column.type)
    ticks = (column.cast(pa.int32()) if narrow else column).cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    present = ticks[~missing]
    return (ticks - present.min()).astype(np.float64) if len(present) else ticks.astype(np.float64)
