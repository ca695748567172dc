"""Cross-entropies of a matrix that fits in one tile: what the walks do, in as few torch calls as it takes.

In a small batch a call costs more than its arithmetic. The tile is kept for the backward pass, so value and gradient cost 3G,
G being one product; where float32 could not hold 2^s, the tile is float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import logsigmoid

from infomax.scores.checks import wide
from infomax.scores.product import product_for
from infomax.scores.streamed import LN2
from infomax.scores.tiles import LOG2E, UNSHIFTED_BITS
from infomax.scores.true_pairs import TruePairs

UNSHIFTED_BITS_OF_FLOAT64 = 480.0
SMALLEST = 1e-300  # a column without negatives sums to 0


@dataclass(frozen=True)
class OneTile:
    """2^s of the negatives, 0 where a cell is a positive or left out; and the positives' s (N,), in bits, float64."""

    anchors: Tensor
    candidates: Tensor
    scale: float
    pairs: TruePairs
    powers: Tensor
    true: Tensor

    @classmethod
    def of(
        cls,
        a: Tensor,
        b: Tensor,
        scale: float,
        row: Tensor | None,
        column: Tensor | None,
        pairs: TruePairs,
        peak: float,
    ) -> OneTile | None:
        """`peak` bounds |s| in bits. None where 2^s could leave the range of float64."""
        if not peak < UNSHIFTED_BITS_OF_FLOAT64:
            return None
        dtype = wide(a.dtype) if peak < UNSHIFTED_BITS else torch.float64
        anchors, candidates = a.detach().to(dtype), b.detach().to(dtype)
        lifted = anchors * (scale * LOG2E)
        true = (lifted * _own(candidates, pairs)).sum(1)
        bits = product_for(dtype, a.device)(lifted, candidates, None)
        if row is not None:
            bits += (offset := row.detach().to(dtype) * LOG2E).unsqueeze(1)
            true += offset
        if column is not None:
            bits += (offset := column.detach().to(dtype) * LOG2E)
            true += _own(offset, pairs)
        _put(bits, pairs, float("-inf"))
        for source in pairs.left_out():
            bits[source.cells(slice(0, pairs.rows))] = float("-inf")
        if pairs.hidden is not None:
            bits.masked_fill_(pairs.hidden.whole(), float("-inf"))
        return cls(anchors, candidates, scale, pairs, bits.exp2_(), true.double())

    def loss(self, axis: int) -> tuple[Tensor, Tensor, Tensor]:
        """Over the rows (axis 1) or the positives' columns (0): -log softmax, 1 - softmax, and the sums of the negatives."""
        total = self.powers.sum(axis).double()
        margin = (self._at_positives(total, axis).log2() - self.true) * LN2
        return -logsigmoid(-margin), torch.sigmoid(margin), total

    def weights(self, miss: Tensor, total: Tensor, column_miss: Tensor | None, column_total: Tensor | None) -> Tensor:
        """W = d(loss)/d(s); `miss` (N,) is 1 - softmax of the positive times its loss's weight."""
        dtype, pull = self.powers.dtype, -miss
        u = (miss / total.clamp(min=SMALLEST)).to(dtype).unsqueeze(1)
        if column_miss is None or column_total is None:
            weights = self.powers * u
        else:
            pull = pull - column_miss
            v = torch.zeros_like(column_total)
            v[slice(0, len(miss)) if self.pairs.diagonal else self.pairs.columns] = column_miss
            weights = (u + (v / column_total.clamp(min=SMALLEST)).to(dtype)).mul_(self.powers)
        _put(weights, self.pairs, pull.to(dtype))
        return weights

    def _at_positives(self, total: Tensor, axis: int) -> Tensor:
        return total if axis == 1 else _own(total, self.pairs)


def _own(values: Tensor, pairs: TruePairs) -> Tensor:
    """The entries of the rows' positives, given one an entry a column."""
    return values[: pairs.rows] if pairs.diagonal else values[pairs.columns]


def _put(tile: Tensor, pairs: TruePairs, value: Tensor | float) -> None:
    """Write into the positives' cells; a diagonal is a view, cheaper than indices."""
    if not pairs.diagonal:
        tile[torch.arange(pairs.rows, device=tile.device), pairs.columns] = value
    elif isinstance(value, Tensor):
        tile.diagonal().copy_(value)
    else:
        tile.diagonal().fill_(value)


class OneTileCrossEntropy(torch.autograd.Function):
    """(N,) -log softmax of the positive over its row; and, if `both`, (N,) over its column, else nothing (0,)."""

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, scale: Tensor, row: Any, column: Any, tile: OneTile, both: bool
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        dtype = wide(a.dtype)
        loss, miss, total = tile.loss(1)
        other, column_miss, column_total = tile.loss(0) if both else (loss[:0], None, None)
        ctx.save_for_backward(a, b, scale, row, column)
        ctx.tile, ctx.sums = tile, (miss, total, column_miss, column_total)
        return loss.to(dtype), other.to(dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, g: Tensor, column_g: Tensor) -> Any:
        a, b, scale, row, column = ctx.saved_tensors
        tile, (miss, total, column_miss, column_total) = ctx.tile, ctx.sums
        column_miss = None if column_miss is None else column_miss * column_g
        weights = tile.weights(miss * g, total, column_miss, column_total)
        product = product_for(weights.dtype, weights.device)
        anchors = product(weights, tile.candidates.t(), None)
        thin = (tile.anchors * tile.scale).t().contiguous()
        candidates = product(thin, weights.t(), None).t()
        wanted = ctx.needs_input_grad
        slope = (anchors * tile.anchors).sum(dtype=torch.float64).to(scale) if wanted[2] else None
        return (
            anchors.mul_(tile.scale).to(a.dtype), candidates.to(b.dtype).contiguous(), slope,
            weights.sum(1).to(row.dtype) if wanted[3] else None,
            weights.sum(0).to(column.dtype) if wanted[4] else None,
            None, None,
        )  # fmt: skip
