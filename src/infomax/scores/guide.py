"""Candidates that a guide holds for false negatives: its own score of the cell exceeds a limit of the row.

The guide's scores stream beside those they guide, so no mask is stored: each walk that computes its scores anew takes one
product of the guide's. A true pair is never hidden.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from infomax.scores.cells import CellSource
from infomax.scores.tiles import Tiles


@dataclass(frozen=True)
class Guide:
    """Hides the cells whose excess is above 0.

    Attributes:
        excess: the guide's scores less their row's limit, as the ingredients of tiles, their `dead` cells left out already.
        matrix: the same as a stored matrix, (N, M); None where `excess` says all.
        positives: true pairs among the candidates.
    """

    excess: Tiles
    matrix: Tensor | None
    positives: CellSource | None

    def block(self, rows: slice) -> Callable[[slice], Tensor]:
        """Of a block of rows: from the columns of a tile to the cells that are hidden, (rows, columns) bool."""
        kept = None if self.positives is None else self.excess.cells((self.positives,), rows)
        excess = self._excess(rows)

        def hidden(columns: slice) -> Tensor:
            mask = excess(columns) > 0
            if kept is not None and (cells := kept.within(columns)) is not None:
                mask[cells] = False
            return mask

        return hidden

    def _excess(self, rows: slice) -> Callable[[slice], Tensor]:
        if (matrix := self.matrix) is not None:
            return lambda columns: matrix[rows, columns]
        lifted = self.excess.lift(rows)
        return lambda columns: self.excess.bits(lifted, rows, columns)

    def whole(self) -> Tensor:
        """(N, M) bool."""
        n, m = self.excess.shape
        hidden = self.block(slice(0, n))
        tiles = [hidden(columns) for columns in self.excess.column_slices()]
        return torch.cat(tiles, 1) if m else torch.zeros(n, 0, dtype=torch.bool, device=self.excess.device)

    @cached_property
    def counts(self) -> Tensor:
        """(N,) hidden candidates of each row, those not counted that are left out anyway."""
        parts = []
        for rows in self.excess.row_slices(self.excess.steps()[0]):
            hidden, dead = self.block(rows), self.excess.cells(self.excess.dead, rows)
            part = torch.zeros(rows.stop - rows.start, dtype=torch.int64, device=self.excess.device)
            for columns in self.excess.column_slices():
                mask = hidden(columns)
                if dead is not None and (cells := dead.within(columns)) is not None:
                    mask[cells] = False
                part += mask.sum(1)
            parts.append(part)
        return torch.cat(parts)

    def of_rows(self, rows: slice, positives: CellSource | None, dead: tuple[CellSource, ...]) -> Guide:
        """The cells of some of the rows."""
        tiles = self.excess
        offset = None if tiles.row_offset is None else tiles.row_offset[rows]
        part = replace(tiles, anchors=tiles.anchors[rows], row_offset=offset, dead=dead)
        return Guide(part, None if self.matrix is None else self.matrix[rows], positives)

    def turned(self, own: Tensor | slice, positives: CellSource | None, dead: tuple[CellSource, ...]) -> Guide:
        """The same cells seen from the candidates `own`."""
        tiles = self.excess
        swapped = replace(
            tiles,
            anchors=tiles.candidates[own],
            candidates=tiles.anchors,
            row_offset=None if tiles.column_offset is None else tiles.column_offset[own],
            column_offset=tiles.row_offset,
            dead=dead,
        )
        return Guide(swapped, None if self.matrix is None else self.matrix.t()[own], positives)
