"""Objects in memory as an Arrow table: rows of two texts, two columns of texts, or a data frame of any library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pyarrow as pa

from infomax.data.text_files import well_formed
from infomax.errors import InputError


def as_table(source: Any) -> pa.Table:
    """A table of the object's columns. Raises InputError if it holds anything but texts, or sides of two lengths."""
    if isinstance(source, tuple) and len(source) == 2 and not all(isinstance(side, str) for side in source):
        anchors, candidates = (_texts(side, name) for side, name in zip(source, ("anchors", "candidates"), strict=True))
        if len(anchors) != len(candidates):
            raise InputError(
                f"{len(anchors):,} anchors and {len(candidates):,} candidates: give as many of one as of the other."
            )
        return pa.table({"anchor": anchors, "candidate": candidates})
    if hasattr(source, "__arrow_c_stream__"):
        return _arrow(lambda: pa.table(source))
    if isinstance(source, Iterable):
        return _from_rows(list(source))
    raise InputError(
        f"Cannot read pairs from {type(source).__name__}: give a file, a list of (anchor, candidate), a tuple "
        "(anchors, candidates), or a pandas, polars or pyarrow table."
    )


def _texts(side: Any, name: str) -> pa.Array:
    if isinstance(side, str) or not isinstance(side, Iterable):
        raise InputError(f"The {name} are {type(side).__name__}: give a sequence of texts, one per pair.")
    texts = list(side)
    for row, text in enumerate(texts):
        if not isinstance(text, str) and text is not None and text == text:
            raise InputError(f"Row {row:,} of the {name} is {type(text).__name__}: give texts.")
    return pa.array([well_formed(text) if isinstance(text, str) else None for text in texts], type=pa.string())


def _from_rows(rows: list[Any]) -> pa.Table:
    for number, row in enumerate(rows):
        if isinstance(row, str) or not isinstance(row, Sequence) or len(row) != 2:
            raise InputError(
                f"Row {number:,} is {str(row)[:60]!r}: a list holds (anchor, candidate) texts; two whole columns go "
                "in a tuple (anchors, candidates)."
            )
    return as_table(([row[0] for row in rows], [row[1] for row in rows]))


def _arrow(convert: Callable[[], pa.Table]) -> pa.Table:
    try:
        return convert()
    except pa.ArrowException as error:
        raise InputError(f"The table has a column of mixed types ({error}): make its columns text.") from error
