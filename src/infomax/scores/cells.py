"""Which cells of the score matrix are positives, and which are left out, without ever storing a mask.

Cells come as lists for a block of rows, so their memory is that of the cells in the block. Two kinds: one column a row, and all
columns whose key equals the row's (found by bisection in the sorted keys).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@runtime_checkable
class CellSource(Protocol):
    """Cells of a block of rows, as (row within the block, column)."""

    def cells(self, rows: slice) -> tuple[Tensor, Tensor]: ...


@runtime_checkable
class HiddenCells(Protocol):
    """Cells too many to list: of a block of rows, a function from a tile's columns to a (rows, columns) mask."""

    def block(self, rows: slice) -> Callable[[slice], Tensor]: ...


@dataclass(frozen=True)
class OneColumn:
    """Row i has the one cell (i, columns[i]); `diagonal` says that columns[i] is i."""

    columns: Tensor
    diagonal: bool = False

    def cells(self, rows: slice) -> tuple[Tensor, Tensor]:
        columns = self.columns[rows]
        return torch.arange(len(columns), device=columns.device), columns


class Matches:
    """Every cell (i, j) with row_keys[i] == column_keys[j]."""

    def __init__(self, row_keys: Tensor, column_keys: Tensor) -> None:
        self.row_keys, self.column_keys = row_keys, column_keys
        ordered, self._order = torch.sort(column_keys, stable=True)
        self._low = torch.searchsorted(ordered, row_keys.contiguous())
        self._high = torch.searchsorted(ordered, row_keys.contiguous(), right=True)

    def of_rows(self, rows: slice) -> Matches:
        """The cells of some of the rows."""
        part = copy(self)
        part.row_keys, part._low, part._high = self.row_keys[rows], self._low[rows], self._high[rows]
        return part

    def counts(self) -> Tensor:
        """(N,) matching columns of each row."""
        return self._high - self._low

    def cells(self, rows: slice) -> tuple[Tensor, Tensor]:
        low, count = self._low[rows], self.counts()[rows]
        row = torch.repeat_interleave(torch.arange(len(low), device=low.device), count)
        first = torch.cumsum(count, 0) - count
        within = torch.arange(len(row), device=low.device) - first[row]
        return row, self._order[low[row] + within]


@dataclass(frozen=True)
class Except:
    """The cells of `source` but those of (i, columns[i])."""

    source: CellSource
    columns: Tensor

    def cells(self, rows: slice) -> tuple[Tensor, Tensor]:
        row, column = self.source.cells(rows)
        other = column != self.columns[rows][row]
        return row[other], column[other]


@dataclass(frozen=True)
class RowBlockCells:
    """The cells of one block of rows, sorted by column; tile t, of `step` columns, has those from edges[t] to edges[t + 1]."""

    row: Tensor
    column: Tensor
    step: int
    edges: list[int]

    @classmethod
    def of(cls, sources: tuple[CellSource, ...], rows: slice, width: int, step: int) -> RowBlockCells | None:
        """The union of the sources' cells in these rows; None when there are none."""
        found = [source.cells(rows) for source in sources]
        if not found or not sum(len(row) for row, _ in found):
            return None
        row, column = found[0] if len(found) == 1 else (torch.cat(part) for part in zip(*found, strict=True))
        column, order = torch.sort(column, stable=True)
        starts = torch.arange(0, width + step, step, device=column.device)
        return cls(row[order], column, step, torch.searchsorted(column, starts).tolist())

    def within(self, columns: slice) -> tuple[Tensor, Tensor] | None:
        """(row, column) relative to the tile that spans `columns`; None when it has none."""
        tile = columns.start // self.step
        low, high = self.edges[tile], self.edges[tile + 1]
        return None if low == high else (self.row[low:high], self.column[low:high] - columns.start)
