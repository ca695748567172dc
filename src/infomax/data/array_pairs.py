"""Pairs of tensors or arrays that are in memory already: image features, measurements, precomputed embeddings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from infomax.data.columns import TensorColumn
from infomax.data.ids import codes_of, connected, digests
from infomax.data.pairs import Pairs, ReadReport
from infomax.data.text_pairs import refuse_without_negatives
from infomax.errors import InputError

_ROWS = 4096


def is_array(values: Any) -> bool:
    """Whether `values` is a torch tensor or a numpy array of numbers; torch itself is not imported."""
    kind = getattr(values, "dtype", None)
    return hasattr(values, "shape") and kind is not None and getattr(kind, "kind", "f") in "fiubc"


def array_pairs(anchors: Any, candidates: Any) -> Pairs:
    """Pairs of rows (n, ...) and (n, ...); equal rows share an id, each row is its own group.

    Raises:
        InputError: lengths differ, there is no row, a row is not finite, or all rows are equal.
    """
    for name, values in (("anchors", anchors), ("candidates", candidates)):
        if len(values.shape) < 2:
            raise InputError(
                f"The {name} have shape {tuple(values.shape)}: expected one row per pair, (n, d) or more axes."
            )
    n = len(anchors)
    if n != len(candidates):
        raise InputError(f"{n:,} anchors and {len(candidates):,} candidates: give as many of one as of the other.")
    if not n:
        raise InputError("No pair in the arrays: they have 0 rows.")
    a, b = _codes(anchors, "anchors"), _codes(candidates, "candidates")
    ids = connected(a, b)
    refuse_without_negatives(a, b, ids, "the arrays")
    report = ReadReport("arrays in memory", n, n)
    return Pairs(TensorColumn(anchors), TensorColumn(candidates), ids, np.arange(n), None, report)


def _codes(values: Any, name: str) -> np.ndarray:
    found = []
    for start, block in _blocks(values):
        bad = np.flatnonzero(~np.isfinite(block).all(axis=1))
        if len(bad):
            raise InputError(f"Row {start + bad[0]:,} of the {name} holds NaN or infinity: drop or fill such rows.")
        found.append(digests(row.tobytes() for row in block))
    return codes_of(np.concatenate(found))


def _blocks(values: Any) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, rows as a 2-d numpy array), a few thousand rows at a time, from any device."""
    for start in range(0, len(values), _ROWS):
        block = values[start : start + _ROWS]
        if hasattr(block, "detach"):
            block = block.detach().cpu()
            block = (block.float() if block.dtype.is_floating_point and block.element_size() < 4 else block).numpy()
        yield start, block.reshape(len(block), -1)
