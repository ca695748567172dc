"""The cross-entropy of the true pair, -log softmax(s)_positive, streamed and differentiable.

The positive is kept apart from its negatives: loss = log(1 + R_negatives / e_positive) keeps its digits when it is tiny, and
stays finite when the positive is far below them. Value and gradient together cost 3G over rows (G = 2·N·M·d flops, one
product), because a block of rows sees its whole row and so can form its gradient in the forward pass; 4G over rows and columns,
whose sums must be known first (3G where the tiles fit in `cache` bytes).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import logsigmoid

from infomax.scores.cells import CellSource, RowBlockCells
from infomax.scores.streamed import LN2, NOTHING_YET, log_sums, returned, softmax_weights
from infomax.scores.tiles import LOG2E, Gradients, Tiles, weighted_products


@dataclass(frozen=True)
class RowBlock:
    """A block of rows with all its columns: tiles of 2^{s - top} of the negatives, and the cells of its positives."""

    rows: slice
    tiles: list[tuple[slice, Tensor]]
    top: Tensor
    total: Tensor
    positive: RowBlockCells | None


def row_blocks(tiles: Tiles, source: CellSource | None, floor: Tensor | None) -> Iterator[RowBlock]:
    """The matrix by blocks of whole rows, each valid until the next. Where shifted, `top` is at least `floor` (N,)."""
    size = tiles.block_rows()
    buffer = torch.empty(size * tiles.shape[1], dtype=tiles.dtype, device=tiles.device)
    for rows in tiles.row_slices(size):
        powers, top = list(tiles.whole_rows(rows, buffer=buffer)), None
        if not tiles.unshifted:
            top = torch.full((rows.stop - rows.start,), NOTHING_YET, dtype=tiles.dtype, device=tiles.device)
            for _, tile in powers:
                top = torch.maximum(top, tile.amax(1))
            if floor is not None:
                top = torch.maximum(top, floor[rows].to(tiles.dtype))
            for _, tile in powers:
                tile.sub_(top.unsqueeze(1)).exp2_()
        total = torch.zeros(rows.stop - rows.start, dtype=torch.float64, device=tiles.device)
        for _, tile in powers:
            total += tile.sum(1)
        positive = None if source is None else tiles.cells((source,), rows)
        yield RowBlock(rows, powers, torch.zeros_like(total) if top is None else top.double(), total, positive)


class RowCrossEntropy(torch.autograd.Function):
    """(N,) log(1 + (R_i + e^{extra_i}) / e^{true_i}) in nats, R_i the sum over the seen cells of row i.

    The true score is that of the cells in `source`, or `true` (N,) where the positives are not among the candidates.
    With `eager` the gradient of the mean is formed in the forward pass; a backward pass with unequal weights repeats the walk.
    """

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, scale: Tensor, row: Any, column: Any, true: Any, extra: Any, tiles: Tiles,
        positive: Tensor | None, source: CellSource | None, eager: bool,
    ) -> Tensor:  # fmt: skip
        wanted = ctx.needs_input_grad
        with torch.autocast(tiles.device.type, enabled=False), torch.no_grad():
            bits = tiles.paired_bits(positive) if positive is not None else true.double() * LOG2E
            more = None if extra is None else extra.double() * LOG2E
            ctx.walk = _CrossEntropyWalk(tiles, source, bits, more, wanted[3], wanted[4])
            loss, ctx.ready = ctx.walk.run(None, gradient=eager and any(wanted))
        ctx.save_for_backward(a, b, scale, row, column)
        return loss.to(tiles.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor) -> Any:
        with torch.autocast(ctx.walk.tiles.device.type, enabled=False):
            if ctx.ready is not None and bool((g == g[0]).all()):
                gradients, ctx.ready = ctx.ready.times(g[0]), None
            else:
                _, gradients = ctx.walk.run(g.double(), gradient=True)
        true = None if gradients.true is None else gradients.true.to(g.dtype)
        extra = None if gradients.extra is None else gradients.extra.to(g.dtype)
        return *returned(ctx, gradients.cells), true, extra, None, None, None, None


@dataclass
class CrossEntropyGradients:
    """Of the scores in the matrix, of positives given apart, and of the log-sum-exp of negatives given apart."""

    cells: Gradients
    true: Tensor | None
    extra: Tensor | None

    def times(self, factor: Tensor) -> CrossEntropyGradients:
        self.cells.times(float(factor))
        return CrossEntropyGradients(
            self.cells,
            None if self.true is None else self.true * factor,
            None if self.extra is None else self.extra * factor,
        )


@dataclass
class _CrossEntropyWalk:
    tiles: Tiles
    source: CellSource | None
    true: Tensor
    extra: Tensor | None
    want_row: bool
    want_column: bool

    def run(self, weight: Tensor | None, gradient: bool) -> tuple[Tensor, CrossEntropyGradients | None]:
        """The losses; and, if asked, the gradient of Σ weight_i · loss_i (weight 1 where None)."""
        tiles = self.tiles
        losses = torch.empty_like(self.true)
        cells = Gradients.zeros(tiles, self.want_row, self.want_column) if gradient else None
        pull, push = torch.zeros_like(self.true), torch.zeros_like(self.true)
        for block in row_blocks(tiles, self.source, self.extra):
            rows = block.rows
            log_sum = block.total.log2() + block.top
            if self.extra is not None:
                log_sum = torch.logaddexp2(log_sum, self.extra[rows])
            margin = (log_sum - self.true[rows]) * LN2
            losses[rows] = -logsigmoid(-margin)
            if cells is None:
                continue
            miss = torch.sigmoid(margin) * (1.0 if weight is None else weight[rows])
            pull[rows] = -miss
            if self.extra is not None:
                push[rows] = miss * (self.extra[rows] - log_sum).exp2()
            self._add_block(cells, block, miss, log_sum)
        if cells is None:
            return losses, None
        true = pull if self.source is None else None
        return losses, CrossEntropyGradients(cells.finish(), true, push if self.extra is not None else None)

    def _add_block(self, cells: Gradients, block: RowBlock, miss: Tensor, log_sum: Tensor) -> None:
        """W = u_i · powers_ij with the positive's cell set so that u_i times it is -miss; u goes on the thin sides."""
        dtype = self.tiles.dtype
        if block.positive is not None:
            own = -(log_sum - block.top).exp2().to(dtype)
            for columns, tile in block.tiles:
                if (own_cells := block.positive.within(columns)) is not None:
                    tile[own_cells] = own[own_cells[0]]
        cells.add_rows(block.rows, block.tiles, (miss * (block.top - log_sum).exp2()).to(dtype).unsqueeze(1))


class SymmetricCrossEntropy(torch.autograd.Function):
    """(N,) -log softmax of the positive over its row, and over its column. `positive` (N,) are distinct; tiles leave them out."""

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, scale: Tensor, row: Any, column: Any, tiles: Tiles, positive: Tensor,
        source: CellSource, cache: int,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        with torch.autocast(tiles.device.type, enabled=False):
            rows, columns, kept = log_sums(tiles, 1.0, True, cache if any(ctx.needs_input_grad) else 0)
            true = tiles.paired_bits(positive)
        assert columns is not None
        ctx.save_for_backward(a, b, scale, row, column)
        ctx.tiles, ctx.source, ctx.positive, ctx.sums, ctx.true, ctx.kept = (
            tiles,
            source,
            positive,
            (rows, columns),
            true,
            kept,
        )
        over_rows, over_columns = (-logsigmoid((true - total) * LN2) for total in (rows, columns[positive]))
        return over_rows.to(tiles.dtype), over_columns.to(tiles.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, row_gradient: Tensor, column_gradient: Tensor) -> Any:
        tiles, positive, (rows, columns) = ctx.tiles, ctx.positive, ctx.sums
        with torch.autocast(tiles.device.type, enabled=False):
            u = row_gradient.double() * torch.sigmoid((rows - ctx.true) * LN2)
            v_own = column_gradient.double() * torch.sigmoid((columns[positive] - ctx.true) * LN2)
            v = torch.zeros_like(columns).index_copy(0, positive, v_own)
            spread = softmax_weights(tiles, rows, u, columns, v)
            pull = _PositiveCells(tiles, ctx.source, -(u + v_own).to(tiles.dtype))

            def weigh(i: slice, j: slice, tile: Tensor) -> Tensor:
                weights = spread(i, j, tile)
                pull.write(i, j, weights)
                return weights

            wanted = ctx.needs_input_grad
            walk = tiles.walk(1.0, ctx.kept)
            gradients = weighted_products(tiles, weigh, walk, wanted[3], wanted[4])
        return *returned(ctx, gradients), None, None, None, None


class _PositiveCells:
    """Writes a value a row into the row's positive cell of each tile."""

    def __init__(self, tiles: Tiles, source: CellSource, values: Tensor) -> None:
        self.tiles, self.source, self.values, self.start = tiles, source, values, -1
        self.cells: RowBlockCells | None = None

    def write(self, rows: slice, columns: slice, tile: Tensor) -> None:
        if rows.start != self.start:
            self.cells, self.start = self.tiles.cells((self.source,), rows), rows.start
        if self.cells is not None and (cells := self.cells.within(columns)) is not None:
            tile[cells] = self.values[rows][cells[0]]
