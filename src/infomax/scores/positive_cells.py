"""The one positive cell of each row, while tiles stream by: hidden among the scores, and put among the weights."""

from __future__ import annotations

from torch import Tensor

from infomax.scores.cells import OneColumn, RowBlockCells
from infomax.scores.tiles import Tiles


class PositiveCells:
    """Row i has the cell (i, source.columns[i])."""

    def __init__(self, tiles: Tiles, source: OneColumn) -> None:
        self.tiles, self.source = tiles, source
        self._cells: RowBlockCells | None = None
        self._start = -1  # the block of rows that the cells were last looked up for

    def hide(self, rows: slice, columns: slice, tile: Tensor) -> None:
        """Write -inf into the positives of a tile of scores."""
        if self.source.diagonal:
            if (found := self._diagonal(rows, columns, tile)) is not None:
                found[1].fill_(float("-inf"))
        elif (index := self._within(rows, columns)) is not None:
            tile[index] = float("-inf")

    def put(self, rows: slice, columns: slice, tile: Tensor, values: Tensor) -> None:
        """Write values (rows,) into the positives of a tile."""
        if self.source.diagonal:
            if (found := self._diagonal(rows, columns, tile)) is not None:
                row, cells = found
                cells.copy_(values[row])
        elif (index := self._within(rows, columns)) is not None:
            tile[index] = values[index[0]]

    def candidates(self, rows: slice) -> Tensor:
        """The positives of a block of rows, (rows, d)."""
        own = rows if self.source.diagonal else self.source.columns[rows]
        return self.tiles.candidates[own].to(self.tiles.dtype)

    @staticmethod
    def _diagonal(rows: slice, columns: slice, tile: Tensor) -> tuple[slice, Tensor] | None:
        """(rows within the block, their cells as a view); no index tensors, which would cost more than a small product."""
        low, high = max(rows.start, columns.start), min(rows.stop, columns.stop)
        if low >= high:
            return None
        return slice(low - rows.start, high - rows.start), tile.diagonal(rows.start - columns.start)

    def _within(self, rows: slice, columns: slice) -> tuple[Tensor, Tensor] | None:
        if rows.start != self._start:
            self._start, self._cells = rows.start, self.tiles.cells((self.source,), rows)
        return None if self._cells is None else self._cells.within(columns)
