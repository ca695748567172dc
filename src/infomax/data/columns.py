"""The two kinds of column: texts in an Arrow array (usually mapped from disk, never loaded), and rows of a tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np
import pyarrow as pa


class TextColumn(Sequence[str]):
    """n texts over an Arrow string array: `column[np rows] -> list[str]`, `column[3] -> str`.

    Args:
        texts: the strings, in as many chunks as they were written in.
        rows: (n,) which of them, in which order; None means all, in order.
        owner: whatever must outlive this column, such as the temporary folder that holds the file.
    """

    def __init__(self, texts: pa.ChunkedArray, rows: np.ndarray | None = None, owner: object = None) -> None:
        self._chunks = texts.chunks
        self._starts = np.cumsum([0, *(len(chunk) for chunk in self._chunks)])
        self._rows = rows
        self._owner = owner

    def __len__(self) -> int:
        return int(self._starts[-1]) if self._rows is None else len(self._rows)

    @overload
    def __getitem__(self, rows: int) -> str: ...
    @overload
    def __getitem__(self, rows: slice | np.ndarray) -> list[str]: ...
    def __getitem__(self, rows: int | np.integer | slice | np.ndarray) -> str | list[str]:
        if isinstance(rows, slice):
            return self._read(np.arange(*rows.indices(len(self))))
        if isinstance(rows, int | np.integer):
            return self._read(np.array([rows]))[0]
        rows = np.asarray(rows)
        return self._read(np.flatnonzero(rows) if rows.dtype == bool else rows)

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self), 1024):
            yield from self[start : start + 1024]

    def __repr__(self) -> str:
        return f"TextColumn({len(self):,} texts)"

    def _read(self, rows: np.ndarray) -> list[str]:
        n = len(self)
        if len(rows) and not (-n <= rows.min() and rows.max() < n):
            raise IndexError(f"row {rows.max() if rows.max() >= n else rows.min()} of a column of {n} rows")
        rows = np.where(rows < 0, rows + n, rows).astype(np.int64)
        if self._rows is not None:
            rows = self._rows[rows]
        chunks = np.searchsorted(self._starts, rows, side="right") - 1
        places = rows - self._starts[chunks]
        texts = np.empty(len(rows), dtype=object)
        for c in np.unique(chunks):  # a scalar at a time costs 1 µs
            mine = chunks == c
            texts[mine] = self._chunks[c].take(pa.array(places[mine])).to_numpy(zero_copy_only=False)
        return texts.tolist()


class TensorColumn:
    """n rows of a tensor (or numpy array, given back as a tensor): `column[np rows] -> tensor (len(rows), ...)`."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: np.ndarray) -> Any:
        import torch  # late: reading texts must not wait for torch

        if isinstance(self.values, torch.Tensor):
            return self.values[torch.as_tensor(rows, device=self.values.device)]
        return torch.as_tensor(self.values[rows])

    def __repr__(self) -> str:
        return f"TensorColumn{tuple(self.values.shape)}"
