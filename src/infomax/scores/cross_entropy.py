"""The cross-entropy of the true pair, -log softmax(s)_positive, streamed and differentiable.

The positive is kept apart from its negatives: loss = log(1 + R_negatives / e_positive) keeps its digits when it is tiny, and
stays finite when the positive is far below them. Value and gradient together cost 3G over rows (G = 2·N·M·d flops, one
product), because a block of rows sees its whole row and so can form its gradient in the forward pass; 4G over rows and columns,
whose sums must be known first (3G where the tiles fit in `cache` bytes).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from infomax.scores.cells import OneColumn
from infomax.scores.first_derivative import first_derivative
from infomax.scores.positive_cells import PositiveCells
from infomax.scores.streamed import LN2, NOTHING_YET, log_sums, returned, scaled, softmax_weights
from infomax.scores.tiles import LOG2E, Gradients, Tiles, weighted_products

Powers = Iterable[tuple[slice, Tensor]]
Held = list[tuple[slice, Tensor]]


class RowCrossEntropy(torch.autograd.Function):
    """(N,) log(1 + (R_i + e^{extra_i}) / e^{true_i}) in nats, R_i the sum over the seen cells of row i but its positive.

    The true score is that of the cells in `source`, or `true` (N,) where the positives are not among the candidates.
    With `eager` the gradient of the mean is formed in the forward pass; a backward pass with unequal weights repeats the walk.
    """

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, scale: Tensor, row: Any, column: Any, true: Any, extra: Any, tiles: Tiles,
        source: OneColumn | None, eager: bool,
    ) -> Tensor:  # fmt: skip
        wanted, tiles = ctx.needs_input_grad, tiles.in_blocks()
        with torch.autocast(tiles.device.type, enabled=False), torch.no_grad():
            more = None if extra is None else extra.double() * LOG2E
            positives = None if source is None else PositiveCells(tiles, source)
            bits = true.double() * LOG2E if source is None else tiles.paired_bits(source)
            ctx.walk = _CrossEntropyWalk(tiles, positives, bits, more, wanted[3], wanted[4])
            loss, ctx.ready = ctx.walk.run(None, gradient=eager and any(wanted))
        ctx.save_for_backward(a, b, scale, row, column)
        return loss.to(tiles.dtype)

    @staticmethod
    @first_derivative
    def backward(ctx: Any, g: Tensor) -> Any:
        with torch.autocast(ctx.walk.tiles.device.type, enabled=False):
            if ctx.ready is not None and bool((g == g[0]).all()):
                gradients, ctx.ready = ctx.ready.times(g[0]), None
            else:
                _, gradients = ctx.walk.run(g.double(), gradient=True)
        true = None if gradients.true is None else gradients.true.to(g.dtype)
        extra = None if gradients.extra is None else gradients.extra.to(g.dtype)
        return *returned(ctx, gradients.cells), true, extra, None, None, None


@dataclass
class CrossEntropyGradients:
    """Of the scores in the matrix, of positives given apart, and of the log-sum-exp of negatives given apart."""

    cells: Gradients
    true: Tensor | None
    extra: Tensor | None

    def times(self, factor: Tensor) -> CrossEntropyGradients:
        self.cells.factor *= float(factor)
        return CrossEntropyGradients(
            self.cells,
            None if self.true is None else self.true * factor,
            None if self.extra is None else self.extra * factor,
        )


@dataclass
class _CrossEntropyWalk:
    tiles: Tiles
    positives: PositiveCells | None
    true: Tensor
    extra: Tensor | None
    want_row: bool
    want_column: bool

    def run(self, weight: Tensor | None, gradient: bool) -> tuple[Tensor, CrossEntropyGradients | None]:
        """The losses; and, if asked, the gradient of Σ weight_i · loss_i (weight 1 where None)."""
        tiles = self.tiles
        losses = torch.empty_like(self.true)
        cells = Gradients.zeros(tiles, self.want_row, self.want_column) if gradient else None
        pull = losses.new_empty(losses.shape) if self.positives is None else None
        push = None if self.extra is None else torch.empty_like(losses)
        for rows in tiles.row_slices(tiles.steps()[0]):
            powers, top = self._powers(rows)
            log_sum, held, part = self._sum(rows, powers, cells)
            del powers
            log_sum = log_sum if top is None else log_sum + top
            if self.extra is not None:
                log_sum = torch.logaddexp2(log_sum, self.extra[rows])
            margin = (log_sum - self.true[rows]) * LN2
            losses[rows] = -logsigmoid(-margin)
            if cells is None:
                continue
            miss = torch.sigmoid(margin) if weight is None else torch.sigmoid(margin) * weight[rows]
            if pull is not None:
                pull[rows] = -miss
            if push is not None and self.extra is not None:
                push[rows] = miss * (self.extra[rows] - log_sum).exp2()
            self._add_block(cells, rows, held, part, miss, log_sum if top is None else log_sum - top)
            del part
        return losses, None if cells is None else CrossEntropyGradients(cells, pull, push)

    def _powers(self, rows: slice) -> tuple[Powers, Tensor | None]:
        """Tiles of 2^{s - top} of the negatives of a block of rows; None stands for a top of 0."""
        tiles = self.tiles
        walk = tiles.whole_rows(rows, hide=None if self.positives is None else self.positives.hide)
        if tiles.unshifted:
            return walk, None
        bits = list(walk)
        top = torch.full((rows.stop - rows.start,), NOTHING_YET, dtype=tiles.dtype, device=tiles.device)
        for _, tile in bits:
            top = torch.maximum(top, tile.amax(1))
        if self.extra is not None:
            top = torch.maximum(top, self.extra[rows].to(tiles.dtype))
        return ((columns, tile.sub_(top.unsqueeze(1)).exp2_()) for columns, tile in bits), top.double()

    def _sum(self, rows: slice, powers: Powers, cells: Gradients | None) -> tuple[Tensor, Held, Tensor | None]:
        """log2 of the row sums; each tile meets the candidates at once, while it is in the processor's cache."""
        total, held = torch.zeros(rows.stop - rows.start, dtype=torch.float64, device=self.tiles.device), []
        part = None
        for columns, tile in powers:
            total += tile.sum(1)
            if cells is not None:
                part = cells.anchors_part(rows, columns, tile, part)
                held.append((columns, tile))
        return total.log2(), held, part

    def _add_block(
        self, cells: Gradients, rows: slice, powers: Held, part: Tensor | None, miss: Tensor, log_sum: Tensor
    ) -> None:
        """W = u_i · powers_ij, but -miss_i at the positive; u is applied on the thin sides. `log_sum` is relative to the top."""
        dtype = self.tiles.dtype
        u = scaled(miss, log_sum).to(dtype).unsqueeze(1)
        if part is not None:
            torch.mul(part, u, out=cells.anchors[rows])
        if cells.row_offset is not None:
            cells.row_offset[rows] *= u.squeeze(1)
        if self.positives is not None:
            own = miss.to(dtype)
            cells.anchors[rows].addcmul_(own.unsqueeze(1), self.positives.candidates(rows), value=-1)
            if cells.row_offset is not None:
                cells.row_offset[rows] -= own
        thin, over_u = cells.thin(rows, u), -log_sum.exp2().to(dtype)
        while powers:  # the last is the most likely to be in the cache still
            columns, tile = powers.pop()
            if self.positives is not None:
                self.positives.put(rows, columns, tile, over_u)
            cells.add_to_candidates(columns, tile, thin, u)
            del tile  # what comes next takes its memory


class SymmetricCrossEntropy(torch.autograd.Function):
    """(N,) -log softmax of the positive over its row, and over its column; `source` holds distinct columns."""

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, scale: Tensor, row: Any, column: Any, tiles: Tiles, source: OneColumn,
        cache: int,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        positives, cache = PositiveCells(tiles, source), cache if any(ctx.needs_input_grad) else 0
        with torch.autocast(tiles.device.type, enabled=False):
            rows, columns, kept = log_sums(tiles, 1.0, True, cache, positives.hide)
            true = tiles.paired_bits(source)
        assert columns is not None
        ctx.save_for_backward(a, b, scale, row, column)
        ctx.tiles, ctx.positives, ctx.sums, ctx.true, ctx.kept = tiles, positives, (rows, columns), true, kept
        over_rows, over_columns = (-logsigmoid((true - total) * LN2) for total in (rows, columns[source.columns]))
        return over_rows.to(tiles.dtype), over_columns.to(tiles.dtype)

    @staticmethod
    @first_derivative
    def backward(ctx: Any, row_gradient: Tensor, column_gradient: Tensor) -> Any:
        tiles, positives, (rows, columns) = ctx.tiles, ctx.positives, ctx.sums
        own, true = positives.source.columns, ctx.true
        with torch.autocast(tiles.device.type, enabled=False):
            u = row_gradient.double() * torch.sigmoid((rows - true) * LN2)
            v_own = column_gradient.double() * torch.sigmoid((columns[own] - true) * LN2)
            v = torch.zeros_like(columns).index_copy(0, own, v_own)
            spread = softmax_weights(tiles, rows, u, columns, v)
            pull = -(u + v_own).to(tiles.dtype)

            def weigh(i: slice, j: slice, tile: Tensor) -> Tensor:
                weights = spread(i, j, tile)
                positives.put(i, j, weights, pull[i])
                return weights

            wanted = ctx.needs_input_grad
            walk = tiles.walk(1.0, ctx.kept)
            gradients = weighted_products(tiles, weigh, walk, wanted[3], wanted[4])
        return *returned(ctx, gradients), None, None, None
