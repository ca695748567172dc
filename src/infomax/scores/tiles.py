"""The score matrix as a stream of tiles, and the two walks over it that every reduction is made of.

Scores are kept in bits while they stream, s·log2(e), so that `exp2` (four times as fast as `exp` on a CPU) undoes them:
with a' = a·scale·log2(e), a tile is a' @ bᵀ + offsets. A walk either sums (forward) or multiplies a matrix of weights
W = d(loss)/d(s) back into both sides (backward): dA = scale·W B, dB = scale·Wᵀ A. dB is accumulated transposed, the faster
layout for the product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import log
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

from infomax.scores.cells import CellSource, HiddenCells, OneColumn, RowBlockCells
from infomax.scores.checks import wide
from infomax.scores.product import product_for

LOG2E = 1 / log(2.0)
# exp2 of scores below this needs no shift in float32: sums over 2**40 columns stay finite, and so do their reciprocals.
UNSHIFTED_BITS = 80.0
LONG_BITS = 7  # so do sums of 2^s, or of their reciprocals, times vectors up to 2 to this power long
CPU_TILE, OTHER_TILE = (512, 1024), (4096, 8192)
CPU_BLOCK_BYTES, OTHER_BLOCK_BYTES = 8 << 20, 256 << 20
# A block of fewer rows spends its time on adding up the candidates' gradient, so it may take as many times the bytes.
LOW_BLOCK, MORE_FOR_LOW = 256, 4
# Up to so many dimensions calls cost so much beside their products that a block has tiles of twice the columns.
THIN = 192
# On a CPU, beyond so many dimensions products of half the rows are as fast, within 3 %, and need half beside the gradients.
THICK = 256

Tile = tuple[slice, slice, Tensor]
Hide = Callable[[slice, slice, Tensor], None]


@runtime_checkable
class Walks(Protocol):
    """The walks of a log-sum-exp in another form, in place of those in `streamed`."""

    def log_sums(self, tiles: Tiles, beta: float, both: bool) -> tuple[Tensor, Tensor | None]: ...

    def gradients(
        self, tiles: Tiles, beta: float, rows: Tensor, row_weight: Tensor, columns: Tensor | None,
        column_weight: Tensor | None, want_row: bool, want_column: bool,
    ) -> Gradients: ...  # fmt: skip


@dataclass(frozen=True)
class Tiles:
    """Detached ingredients of s_ij = scale·<a_i, b_j> + row_offset_i + column_offset_j, and the cells to leave out.

    `peak` bounds |s| in bits. No walk sees the cells in `dead` or `hidden`, nor, where `only` is given, those outside `only`.
    A log-sum-exp takes the `fused` walks where there are any. `tile` (rows, columns) overrides the device's.
    """

    anchors: Tensor
    candidates: Tensor
    scale: float
    row_offset: Tensor | None
    column_offset: Tensor | None
    peak: float
    dead: tuple[CellSource, ...] = ()
    only: tuple[CellSource, ...] = ()
    hidden: HiddenCells | None = None
    fused: Walks | None = None
    tile: tuple[int, int] | None = None

    @property
    def dtype(self) -> torch.dtype:
        return wide(self.anchors.dtype)

    @property
    def device(self) -> torch.device:
        return self.anchors.device

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.anchors), len(self.candidates)

    @property
    def unshifted(self) -> bool:
        """exp2 of every score is finite as it stands."""
        return self.peak < UNSHIFTED_BITS

    @property
    def _device_tile(self) -> tuple[int, int]:
        return CPU_TILE if self.device.type == "cpu" else OTHER_TILE

    def steps(self) -> tuple[int, int]:
        """Rows and columns of a tile."""
        rows, columns = self._device_tile
        halved = self.device.type == "cpu" and self.anchors.shape[1] > THICK
        return self.tile or (rows // 2 if halved else rows, columns)

    def block_rows(self) -> int:
        """Rows of a block that holds all its columns at once."""
        budget = CPU_BLOCK_BYTES if self.device.type == "cpu" else OTHER_BLOCK_BYTES
        fitting, low = (
            size // (max(1, self.shape[1]) * self.dtype.itemsize) for size in (budget, budget * MORE_FOR_LOW)
        )
        return max(16, min(self._device_tile[0], max(fitting, min(low, LOW_BLOCK))))

    def in_blocks(self) -> Tiles:
        """The same in tiles for a walk that holds a block of whole rows."""
        columns = self.steps()[1] * (2 if self.anchors.shape[1] <= THIN else 1)
        return replace(self, tile=(self.block_rows(), columns))

    def row_slices(self, step: int) -> Iterator[slice]:
        n = self.shape[0]
        return (slice(i, min(i + step, n)) for i in range(0, n, step))

    def column_slices(self) -> Iterator[slice]:
        m, step = self.shape[1], self.steps()[1]
        return (slice(j, min(j + step, m)) for j in range(0, m, step))

    def lift(self, rows: slice, beta: float = 1.0) -> Tensor:
        """The block of anchors that makes scores in bits: (rows, d)."""
        return self.anchors[rows].to(self.dtype) * (self.scale * beta * LOG2E)

    def bits(self, lifted: Tensor, rows: slice, columns: slice, beta: float = 1.0) -> Tensor:
        """One tile of beta·s in bits, a new tensor (rows, columns)."""
        product = product_for(self.dtype, self.device)
        bias = None
        if self.column_offset is not None:
            bias = self.column_offset[columns].to(self.dtype) * (beta * LOG2E)
        tile = product(lifted, self.candidates[columns].to(self.dtype), bias)
        if self.row_offset is not None:
            tile += self.row_offset[rows].to(self.dtype).mul(beta * LOG2E).unsqueeze(1)
        return tile

    def walk(
        self, beta: float = 1.0, kept: Mapping[tuple[int, int], Tensor] | None = None, hide: Hide | None = None
    ) -> Iterator[Tile]:
        """All tiles in a fixed order, row blocks, then columns, unseen cells left out.

        A tile is beta·s in bits (unseen: -inf), or 2 to that power where `unshifted` (unseen: 0). Tiles in `kept`, by their
        first row and column, are not computed again. `hide(rows, columns, tile)` may erase more of new tiles.
        """
        for rows in self.row_slices(self.steps()[0]):
            for columns, tile in self.whole_rows(rows, beta, kept, hide=hide):
                yield rows, columns, tile
                del tile  # the next product takes its memory, still in the processor's cache

    def whole_rows(
        self,
        rows: slice,
        beta: float = 1.0,
        kept: Mapping[tuple[int, int], Tensor] | None = None,
        hide: Hide | None = None,
    ) -> Iterator[tuple[slice, Tensor]]:
        """The tiles of one block of rows, as in `walk`."""
        lifted, cells = self.lift(rows, beta), self.unseen(rows)
        for columns in self.column_slices():
            tile = kept.get((rows.start, columns.start)) if kept else None
            if tile is None:
                tile = self.bits(lifted, rows, columns, beta)
                cells.erase(tile, columns, float("-inf"))
                if hide is not None:
                    hide(rows, columns, tile)
                if self.unshifted:
                    tile.exp2_()
            yield columns, tile
            del tile

    def paired_bits(self, source: OneColumn) -> Tensor:
        """(N,) float64: s of the cells (i, source.columns[i]) in bits."""
        parts = []
        for rows in self.row_slices(self.steps()[0]):
            other = self.candidates[rows if source.diagonal else source.columns[rows]].to(self.dtype)
            parts.append((self.lift(rows) * other).sum(1).double())
        bits = torch.cat(parts)
        if self.row_offset is not None:
            bits += self.row_offset.double() * LOG2E
        if self.column_offset is not None:
            bits += self.column_offset.double()[source.columns] * LOG2E
        return bits

    def unseen(self, rows: slice) -> UnseenCells:
        """What to erase in this block of rows."""
        hidden = None if self.hidden is None else self.hidden.block(rows)
        return UnseenCells(self.cells(self.dead, rows), self.cells(self.only, rows), bool(self.only), hidden)

    def cells(self, sources: tuple[CellSource, ...], rows: slice) -> RowBlockCells | None:
        """The cells of these sources in a block of rows, ready for the tiles of a walk."""
        return RowBlockCells.of(sources, rows, self.shape[1], self.steps()[1])


@dataclass(frozen=True)
class UnseenCells:
    """The cells of a block of rows to overwrite: `dead`, `hidden`, and all but `only` where `restricted`."""

    dead: RowBlockCells | None
    only: RowBlockCells | None
    restricted: bool
    hidden: Callable[[slice], Tensor] | None = None

    def erase(self, tile: Tensor, columns: slice, value: float) -> None:
        """Overwrite them in the tile that spans `columns`."""
        if self.restricted:
            hidden = torch.ones_like(tile, dtype=torch.bool)
            if self.only is not None and (shown := self.only.within(columns)) is not None:
                hidden[shown] = False
            tile.masked_fill_(hidden, value)
        if self.hidden is not None:
            tile.masked_fill_(self.hidden(columns), value)
        if self.dead is not None and (cells := self.dead.within(columns)) is not None:
            tile[cells] = value


@dataclass
class Gradients:
    """W B, Wᵀ A and the sums of W = d(loss)/d(s), to be multiplied by `factor`; the candidates' is kept transposed,
    tile by tile, (d, columns) in the memory of the (columns, d) that it will be: the faster layout for the product."""

    tiles: Tiles
    anchors: Tensor
    candidates: Tensor
    row_offset: Tensor | None
    column_offset: Tensor | None
    factor: float = 1.0

    @classmethod
    def zeros(cls, tiles: Tiles, want_row: bool, want_column: bool) -> Gradients:
        def array(*shape: int) -> Tensor:
            return torch.zeros(*shape, dtype=tiles.dtype, device=tiles.device)

        (n, m), d = tiles.shape, tiles.anchors.shape[1]
        return cls(tiles, array(n, d), array(m, d), array(n) if want_row else None, array(m) if want_column else None)

    def anchors_part(self, rows: slice, columns: slice, weights: Tensor, part: Tensor | None) -> Tensor:
        """One tile of weights on the side of the rows, added to the `part` of this block that came before: (rows, d).

        A small sum of its own stays in the processor's cache, as a view of the whole gradient does not.
        """
        product = product_for(weights.dtype, self.tiles.device)
        new = product(weights, self.tiles.candidates[columns].to(weights.dtype).t(), None)
        if self.row_offset is not None:
            self.row_offset[rows] += weights.sum(1, dtype=self.tiles.dtype)
        return new if part is None else part.add_(new)

    def thin(self, rows: slice, u: Tensor | None = None) -> Tensor:
        """The anchors of a block of rows, each times u (rows, 1), transposed: (d, rows)."""
        anchors = self.tiles.anchors[rows].to(self.tiles.dtype)
        return (anchors if u is None else anchors * u).t().contiguous()

    def add_to_candidates(self, columns: slice, weights: Tensor, thin: Tensor, u: Tensor | None = None) -> None:
        """Add one tile of weights, times u (rows, 1) where given, on the side of the columns."""
        product = product_for(weights.dtype, self.tiles.device)
        self._transposed(columns).add_(product(thin.to(weights.dtype), weights.t(), None))
        if self.column_offset is not None:
            more = weights.sum(0, dtype=self.tiles.dtype) if u is None else (weights.t() @ u).squeeze(1)
            self.column_offset[columns] += more

    def _transposed(self, columns: slice) -> Tensor:
        part = self.candidates[columns]
        return part.view(part.shape[1], part.shape[0])

    def scale(self) -> float:
        """d(loss)/d(scale) = Σ W_ij <a_i, b_j> = <W B, A>."""
        parts = (self.anchors[rows] * self.tiles.anchors[rows] for rows in self.tiles.row_slices(self.tiles.steps()[0]))
        return self.factor * sum(float(part.sum(dtype=torch.float64)) for part in parts)

    def finish(self) -> None:
        """Apply the factors, and turn the candidates' gradient the right way round."""
        self.anchors *= self.factor * self.tiles.scale
        for columns in self.tiles.column_slices():
            self.candidates[columns] = (self._transposed(columns) * (self.factor * self.tiles.scale)).t()
        for part in (self.row_offset, self.column_offset):
            if part is not None:
                part *= self.factor


def weighted_products(
    tiles: Tiles,
    weigh: Callable[[slice, slice, Tensor], Tensor],
    source: Iterator[Tile],
    want_row: bool,
    want_column: bool,
) -> Gradients:
    """The backward walk: `weigh(rows, columns, tile)` turns each tile of the source into d(loss)/d(s)."""
    gradients, start, part = Gradients.zeros(tiles, want_row, want_column), -1, None
    for rows, columns, tile in source:
        if rows.start != start:
            start, thin, part = rows.start, gradients.thin(rows), None
        weights = weigh(rows, columns, tile)
        part = gradients.anchors_part(rows, columns, weights, part)
        gradients.add_to_candidates(columns, weights, thin)
        if columns.stop == tiles.shape[1]:
            gradients.anchors[rows] = part
        del tile, weights
    return gradients
