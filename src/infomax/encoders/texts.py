"""Columns of texts: in which blocks they are read, and what is a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from infomax.errors import InputError


def blocks(column: Any, size: int) -> Iterator[Sequence[object]]:
    """Consecutive blocks of `size` texts of a list, or of a column that is indexed by arrays of row numbers."""
    n = len(column)
    for start in range(0, n, size):
        if isinstance(column, list | tuple):
            yield column[start : start + size]
        else:
            yield column[np.arange(start, min(start + size, n))]


def as_text(text: object, row: int) -> str:
    """A text that every library can read.

    Raises:
        InputError: it is no text.
    """
    if not isinstance(text, str):
        raise InputError(f"Expected texts, got {type(text).__name__} at row {row}; drop the row or make it a str.")
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair: no valid text, but common in scraped data
        return text.encode(errors="replace").decode()
    return text
