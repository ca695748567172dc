"""Log-sum-exp and pointwise totals over the score matrix, streamed and differentiable.

Value and gradient together cost 4G, G = 2·N·M·d flops being one product: the scores twice, then dA and dB; or 3G where the
tiles fit in `cache` bytes. Memory O((N + M)·d + tile). First derivatives only. Normalisers are logs in bits, float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import log, prod
from typing import Any

import torch
from torch import Tensor

from infomax.scores.first_derivative import first_derivative
from infomax.scores.tiles import Gradients, Hide, Tiles, weighted_products

LN2 = log(2.0)
NOTHING_YET = -1e30  # the maximum of nothing: finite, so that exp2(-inf - it) is 0 and not NaN
Kept = dict[tuple[int, int], Tensor]


@dataclass
class RunningSum:
    """Sums of 2^s along an axis, as (maximum so far, sum relative to it), float64."""

    top: Tensor
    total: Tensor

    @classmethod
    def zeros(cls, length: int, tiles: Tiles) -> RunningSum:
        top = torch.full((length,), 0.0 if tiles.unshifted else NOTHING_YET, dtype=torch.float64, device=tiles.device)
        return cls(top, torch.zeros_like(top))

    def add_scores(self, part: slice, tile: Tensor, axis: int) -> None:
        """Add a tile of s in bits, moving the maximum."""
        top = torch.maximum(self.top[part], tile.amax(axis).double())
        relative = (tile - top.to(tile.dtype).unsqueeze(axis)).exp2_().sum(axis)
        self.total[part] = self.total[part] * (self.top[part] - top).exp2() + relative
        self.top[part] = top

    def log2(self) -> Tensor:
        return self.total.log2() + self.top


def log_sums(
    tiles: Tiles, beta: float, both: bool, cache: int = 0, hide: Hide | None = None
) -> tuple[Tensor, Tensor | None, Kept]:
    """One walk: log2 Σ_j 2^{s_ij} a row and, if `both`, log2 Σ_i 2^{s_ij} a column; and the first tiles, up to `cache` bytes."""
    if tiles.fused is not None and hide is None:
        return *tiles.fused.log_sums(tiles, beta, both), {}
    rows = RunningSum.zeros(tiles.shape[0], tiles)
    columns = RunningSum.zeros(tiles.shape[1], tiles) if both else None
    kept: Kept = {}
    for i, j, tile in tiles.walk(beta, hide=hide):
        if not tiles.unshifted:
            rows.add_scores(i, tile, 1)
            if columns is not None:
                columns.add_scores(j, tile, 0)
            continue
        rows.total[i] += tile.sum(1)
        if columns is not None:
            columns.total[j] += tile.sum(0)
        cache -= tile.nbytes
        if cache >= 0:
            kept[i.start, j.start] = tile
        del tile
    return rows.log2(), None if columns is None else columns.log2(), kept


def softmax_weights(
    tiles: Tiles, rows: Tensor, row_weight: Tensor, columns: Tensor | None, column_weight: Tensor | None
) -> Callable[[slice, slice, Tensor], Tensor]:
    """W_ij = row_weight_i · 2^{s_ij - rows_i} + column_weight_j · 2^{s_ij - columns_j} for the tiles of a walk."""
    if tiles.unshifted:
        u = scaled(row_weight, rows).to(tiles.dtype)
        v = None if columns is None or column_weight is None else scaled(column_weight, columns).to(tiles.dtype)

        buffer = torch.empty(prod(tiles.steps()), dtype=tiles.dtype, device=tiles.device)  # fresh memory is slower

        def weigh(i: slice, j: slice, tile: Tensor) -> Tensor:
            weights = buffer[: tile.numel()].view(tile.shape)
            if v is None:
                return torch.mul(tile, u[i].unsqueeze(1), out=weights)
            return torch.add(u[i].unsqueeze(1), v[j], out=weights).mul_(tile)

        return weigh

    def weigh_shifted(i: slice, j: slice, tile: Tensor) -> Tensor:
        weights = _shifted(tile, rows[i], row_weight[i], 1)
        if columns is not None and column_weight is not None:
            weights += _shifted(tile, columns[j], column_weight[j], 0)
        return weights

    return weigh_shifted


def scaled(weight: Tensor, log2_sum: Tensor) -> Tensor:
    """weight / sum; 0 where nothing was summed."""
    return torch.where(log2_sum.isneginf(), 0.0, weight * (-log2_sum).exp2())


def _shifted(tile: Tensor, log2_sum: Tensor, weight: Tensor, axis: int) -> Tensor:
    finite = log2_sum.clamp(min=NOTHING_YET).to(tile.dtype).unsqueeze(axis)
    return (tile - finite).exp2_().mul_(weight.to(tile.dtype).unsqueeze(axis))


def returned(ctx: Any, gradients: Gradients) -> tuple[Tensor | None, ...]:
    """The gradients in the order and dtypes of (anchors, candidates, scale, row_offset, column_offset)."""
    anchors, candidates, scale, row_offset, column_offset = ctx.saved_tensors[:5]
    wanted = ctx.needs_input_grad
    slope = torch.as_tensor(gradients.scale(), dtype=scale.dtype, device=scale.device) if wanted[2] else None
    gradients.finish()
    return (
        gradients.anchors.to(anchors.dtype) if wanted[0] else None,
        gradients.candidates.to(candidates.dtype) if wanted[1] else None,
        slope,
        gradients.row_offset.to(row_offset.dtype) if gradients.row_offset is not None else None,
        gradients.column_offset.to(column_offset.dtype) if gradients.column_offset is not None else None,
    )


class LogSumExp(torch.autograd.Function):
    """(N,) logs of the row sums and, if `both`, (M,) logs of the column sums, of exp(beta·s) over the cells seen, in nats."""

    @staticmethod
    def forward(
        ctx: Any,
        a: Tensor,
        b: Tensor,
        scale: Tensor,
        row: Any,
        column: Any,
        tiles: Tiles,
        beta: float,
        both: bool,
        cache: int,
    ) -> tuple[Tensor, Tensor]:
        with torch.autocast(tiles.device.type, enabled=False):
            rows, columns, kept = log_sums(tiles, beta, both, cache if any(ctx.needs_input_grad) else 0)
        ctx.save_for_backward(a, b, scale, row, column)
        ctx.tiles, ctx.beta, ctx.sums, ctx.kept = tiles, beta, (rows, columns), kept
        empty = rows.new_zeros(0) if columns is None else columns
        return (rows * LN2).to(tiles.dtype), (empty * LN2).to(tiles.dtype)

    @staticmethod
    @first_derivative
    def backward(ctx: Any, row_gradient: Tensor, column_gradient: Tensor) -> Any:
        tiles, (rows, columns) = ctx.tiles, ctx.sums
        with torch.autocast(tiles.device.type, enabled=False):
            u = row_gradient.double() * ctx.beta
            v = None if columns is None else column_gradient.double() * ctx.beta
            wanted = ctx.needs_input_grad[3:5]
            if tiles.fused is not None:
                gradients = tiles.fused.gradients(tiles, ctx.beta, rows, u, columns, v, *wanted)
            else:
                weigh, walk = softmax_weights(tiles, rows, u, columns, v), tiles.walk(ctx.beta, ctx.kept)
                gradients = weighted_products(tiles, weigh, walk, *wanted)
        return *returned(ctx, gradients), None, None, None, None


class Total(torch.autograd.Function):
    """(N,) sums over the seen cells of fn(s), fn pointwise."""

    @staticmethod
    def forward(
        ctx: Any,
        a: Tensor,
        b: Tensor,
        scale: Tensor,
        row: Any,
        column: Any,
        tiles: Tiles,
        fn: Callable[[Tensor], Tensor],
    ) -> Tensor:
        total = torch.zeros(tiles.shape[0], dtype=torch.float64, device=tiles.device)
        with torch.autocast(tiles.device.type, enabled=False):
            for i, _, tile in tiles.walk():
                seen = ~tile.isneginf()
                total[i] += torch.where(seen, fn(torch.where(seen, tile * LN2, 0.0)), 0.0).sum(1)
        ctx.save_for_backward(a, b, scale, row, column)
        ctx.tiles, ctx.fn = tiles, fn
        return total.to(tiles.dtype)

    @staticmethod
    @first_derivative
    def backward(ctx: Any, gradient: Tensor) -> Any:
        tiles, fn = ctx.tiles, ctx.fn
        g = gradient.to(tiles.dtype).unsqueeze(1)

        def weigh(i: slice, _: slice, tile: Tensor) -> Tensor:
            seen = ~tile.isneginf()
            with torch.enable_grad():
                scores = torch.where(seen, tile * LN2, 0.0).requires_grad_()
                summed = fn(scores).sum()
            slope = torch.autograd.grad(summed, scores)[0] if summed.requires_grad else torch.zeros_like(tile)
            return torch.where(seen, slope, 0.0) * g[i]

        with torch.autocast(tiles.device.type, enabled=False):
            wanted = ctx.needs_input_grad
            gradients = weighted_products(tiles, weigh, tiles.walk(), wanted[3], wanted[4])
        return *returned(ctx, gradients), None, None
