"""Cross-entropies of a matrix that fits in one tile: what the walks do, in as few torch calls as it takes.

In a small batch a call costs more than its arithmetic. The tile is kept for the backward pass, so value and gradient cost 3G,
G being one product; where float32 could not hold 2^s, the tile is float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from infomax.scores.checks import wide
from infomax.scores.first_derivative import first_derivative
from infomax.scores.product import product_for, turned_product
from infomax.scores.tiles import LOG2E, UNSHIFTED_BITS
from infomax.scores.true_pairs import TruePairs

UNSHIFTED_BITS_OF_FLOAT64 = 480.0
QUOTIENT_BITS = 52  # below this, sums of 2^s over a tile divided by another 2^s stay in the range of float32


@dataclass(frozen=True)
class OneTile:
    """2^s of the negatives, s in bits, 0 where a cell is a positive or left out; and of the positives (N,), in the dtype of
    the sums: float64 where their quotients need its range."""

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
        true = (lifted * _own(candidates, pairs)).sum(1)  # has fewer roundings than the tile's cell
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
        sums = dtype if peak < QUOTIENT_BITS else torch.float64
        return cls(anchors, candidates, scale, pairs, bits.exp2_(), true.to(sums).exp2_())

    def loss(self, axis: int) -> tuple[Tensor, Tensor]:
        """Over the rows (axis 1) or the positives' columns (0): -log softmax, and the sums of the negatives."""
        others = self.powers.sum(axis).to(self.true.dtype)
        if axis == 0:
            others = _own(others, self.pairs)
        return (others / self.true).log1p_(), others

    def weights(
        self, g: Tensor, others: Tensor, column_g: Tensor | None, column_others: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """Z and r, diag(r)·Z = scale·W, W = d(loss)/d(s); `g` and `column_g` (N,) weigh the losses, `others` are their sums.

        Over rows alone Z is the tile itself and r (N, 1) is left to the thin sides of the products; else r is None.
        """
        dtype = self.powers.dtype
        u = (g / (others + self.true)).mul_(self.scale)
        if column_g is None or column_others is None:
            _put(self.powers, self.pairs, -others.to(dtype))
            return self.powers, u.to(dtype).unsqueeze(1)
        own = (column_g / (column_others + self.true)).mul_(self.scale)
        v = own.new_zeros(self.pairs.width)
        v[slice(0, len(own)) if self.pairs.diagonal else self.pairs.columns] = own
        weights = (u.to(dtype).unsqueeze(1) + v.to(dtype)).mul_(self.powers)
        _put(weights, self.pairs, -(u * others + own * column_others).to(dtype))
        return weights, None


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
    """(N,) -log softmax of the positive over its row; and, if `both`, (N,) over its column too."""

    @staticmethod
    def forward(
        ctx: Any, a: Tensor, b: Tensor, scale: Any, row: Any, column: Any, tile: OneTile, both: bool
    ) -> Tensor | tuple[Tensor, Tensor]:  # fmt: skip
        dtype = wide(a.dtype)
        loss, others = tile.loss(1)
        over_columns, column_others = tile.loss(0) if both else (None, None)
        ctx.save_for_backward(a, b, scale, row, column)
        ctx.tile, ctx.sums = tile, (others, column_others)
        return loss.to(dtype) if over_columns is None else (loss.to(dtype), over_columns.to(dtype))

    @staticmethod
    @first_derivative
    def backward(ctx: Any, g: Tensor, column_g: Tensor | None = None) -> Any:
        a, b, scale, row, column = ctx.saved_tensors
        tile, (others, column_others), wanted = ctx.tile, ctx.sums, ctx.needs_input_grad
        weights, r = tile.weights(g, others, column_g, column_others)
        product = product_for(weights.dtype, weights.device)

        def by_row(x: Tensor) -> Tensor:
            return x if r is None else x * r

        anchors = by_row(product(weights, tile.candidates.t(), None)) if wanted[0] or wanted[2] else None
        slope = None
        if wanted[2] and anchors is not None:
            slope = (anchors * tile.anchors).sum(dtype=torch.float64).div(tile.scale).to(scale)
        return (
            None if anchors is None else anchors.to(a.dtype),
            turned_product(weights, by_row(tile.anchors), product).to(b.dtype) if wanted[1] else None,
            slope,
            by_row(weights).sum(1).div(tile.scale).to(row.dtype) if wanted[3] else None,
            by_row(weights).sum(0).div(tile.scale).to(column.dtype) if wanted[4] else None,
            None, None,
        )  # fmt: skip
