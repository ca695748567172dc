"""The reductions on a matrix that is never stored: tiles, plus the few scores that belong to one row each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from infomax.errors import InputError
from infomax.scores.checks import wide
from infomax.scores.cross_entropy import RowCrossEntropy, SymmetricCrossEntropy
from infomax.scores.fused import fused
from infomax.scores.selection import ranks, top_columns
from infomax.scores.streamed import LogSumExp, Total
from infomax.scores.tiles import LOG2E, Tiles
from infomax.scores.true_pairs import TruePairs

INF = float("inf")
NARROW = 96  # rows; where a block of whole rows has fewer, a second product costs less than such narrow ones


@dataclass(frozen=True)
class StreamedScores:
    """The same methods as `Dense`, in nats. `peak` bounds |s| in bits; `cache` is in bytes; `fuse` asks for Triton's kernels."""

    anchors: Tensor
    candidates: Tensor
    scale: Tensor
    row_offset: Tensor | None
    column_offset: Tensor | None
    negatives: Tensor | None
    negative_offset: Tensor | None
    true_pairs: TruePairs
    peak: float
    cache: int
    fuse: bool = False

    @property
    def _inputs(self) -> tuple[Tensor, Tensor, Tensor, Tensor | None, Tensor | None]:
        return self.anchors, self.candidates, self.scale, self.row_offset, self.column_offset

    def _tiles(self, seen: str, peak: float) -> Tiles:
        dead, only = self.true_pairs.unseen(seen)
        row, column = (None if x is None else x.detach() for x in (self.row_offset, self.column_offset))
        a, b = self.anchors.detach(), self.candidates.detach()
        tiles = Tiles(a, b, float(self.scale.detach()), row, column, peak, dead, only, self.true_pairs.hidden)
        return fused(tiles) if self.fuse else tiles

    def of_rows(self, rows: slice) -> StreamedScores:
        """Some of the rows, against all candidates."""
        own = (self.row_offset, self.negatives, self.negative_offset)
        row_offset, negatives, negative_offset = (None if x is None else x[rows] for x in own)
        return replace(
            self, anchors=self.anchors[rows], true_pairs=self.true_pairs.of_rows(rows), row_offset=row_offset,
            negatives=negatives, negative_offset=negative_offset,
        )  # fmt: skip

    def mean_positive(self) -> Tensor:
        partner, offset = self.true_pairs.partners(self.candidates, self.column_offset)
        dtype = wide(self.anchors.dtype)
        score = (self.anchors.to(dtype) * partner.to(dtype)).sum(1) * self.scale.to(dtype)
        for part in (self.row_offset, offset):
            score = score if part is None else score + part.to(dtype)
        return score

    @cached_property
    def paired(self) -> Tensor | None:
        """(N, K) scores of the negatives that belong to a row."""
        if self.negatives is None:
            return None
        dtype = wide(self.anchors.dtype)
        with torch.autocast(self.anchors.device.type, enabled=False):
            s = torch.bmm(self.negatives.to(dtype), self.anchors.to(dtype).unsqueeze(2)).squeeze(2)
            s = s * self.scale.to(dtype)
        row = None if self.row_offset is None else self.row_offset.unsqueeze(1)
        for part in (row, self.negative_offset):
            s = s if part is None else s + part.to(dtype)
        return s

    def logsumexp(self, beta: float, positives: str, both: bool) -> tuple[Tensor, Tensor]:
        """Over the candidates (N,), and over the anchors (M,), empty unless `both`."""
        if self.true_pairs.labels is None and positives == "only":
            rows = beta * self.mean_positive()
            return rows, self._by_column(rows) if both else rows.new_zeros(0)
        one_positive = self.true_pairs.labels is None
        tiles = self._tiles("out" if one_positive else positives, self.peak * beta)
        rows, columns = LogSumExp.apply(*self._inputs, tiles, beta, both, self.cache)
        if one_positive and positives == "in":
            true = beta * self.mean_positive()
            rows = torch.logaddexp(rows, true)
            columns = _logaddexp(columns, self._by_column(true)) if both else columns
        if self.paired is not None and positives != "only":
            rows = torch.logaddexp(rows, torch.logsumexp(beta * self.paired, 1))
        return rows, columns

    def _by_column(self, true: Tensor) -> Tensor:
        """(M,) log Σ exp of the positives that share a column; -inf for none."""
        columns = self.true_pairs.columns
        if columns is None:
            return true.new_full((len(self.candidates),), -INF)
        top = true.detach().new_full((len(self.candidates),), -INF).scatter_reduce(0, columns, true.detach(), "amax")
        sums = torch.zeros_like(top).index_add(0, columns, (true - top[columns]).exp())
        return torch.where(top.isneginf(), -INF, torch.where(top.isneginf(), 1.0, sums).log() + top)

    def row_cross_entropy(self, eager: bool) -> Tensor:
        pairs, tiles = self.true_pairs, self._tiles("out", self.peak)
        if tiles.fused or tiles.block_rows() < min(NARROW, len(self.anchors)):  # a vocabulary's width
            return -logsigmoid(self.mean_positive() - self.logsumexp(1.0, "out", False)[0])
        own = pairs.own is not None
        extra = None if self.paired is None else torch.logsumexp(self.paired, 1)
        return RowCrossEntropy.apply(
            *self._inputs, self.mean_positive() if own else None, extra, self._tiles("in", self.peak),
            pairs.one_column, eager and torch.is_grad_enabled(),
        )  # fmt: skip

    def symmetric_cross_entropy(self) -> tuple[Tensor, Tensor]:
        source = self.true_pairs.one_column
        if source is not None and self._tiles("out", self.peak).fused:
            true, (rows, columns) = self.mean_positive(), self.logsumexp(1.0, "out", True)
            return -logsigmoid(true - rows), -logsigmoid(true - columns[source.columns])
        tiles = self._tiles("in", self.peak)
        rows, columns = SymmetricCrossEntropy.apply(*self._inputs, tiles, source, self.cache)
        return rows, columns

    def total(self, fn: Callable[[Tensor], Tensor], positives: str) -> Tensor:
        if torch.is_grad_enabled() and fn(self.anchors.new_zeros(1, dtype=wide(self.anchors.dtype))).requires_grad:
            raise InputError(
                "fn depends on a tensor that asks for gradients, and streamed scores would not give it any: put a bias into "
                "row_offset and a scale into temperature, or use backend='dense'."
            )
        one_positive = self.true_pairs.labels is None
        if one_positive and positives == "only":
            return fn(self.mean_positive())
        result = Total.apply(*self._inputs, self._tiles("out" if one_positive else positives, INF), fn)
        if one_positive and positives == "in":
            result = result + fn(self.mean_positive())
        if self.paired is not None and positives != "only":
            result = result + fn(self.paired).sum(1)
        return result

    def hardest(self, k: int, at_most: Tensor | None) -> tuple[Tensor, Tensor]:
        paired = None if self.paired is None else self.paired.detach() * LOG2E
        limit = None if at_most is None else at_most.detach() * LOG2E
        bits, columns = top_columns(self._tiles("out", INF), k, paired, limit)
        inputs = (*self._inputs, self.negatives, self.negative_offset)
        if torch.is_grad_enabled() and any(x is not None and x.requires_grad for x in inputs):
            return self._cells(columns), columns
        return bits / LOG2E, columns

    def _cells(self, columns: Tensor) -> Tensor:
        """(N, k) differentiable scores of the given columns; -inf where the column is -1."""
        dtype, m = wide(self.anchors.dtype), len(self.candidates)
        values = self.anchors.new_zeros(columns.shape, dtype=dtype)
        if m:
            shared = columns.clamp(0, m - 1)
            values = (self.anchors.to(dtype).unsqueeze(1) * self.candidates.to(dtype)[shared]).sum(2) * self.scale.to(
                dtype
            )
            for part in (
                None if self.row_offset is None else self.row_offset.unsqueeze(1),
                None if self.column_offset is None else self.column_offset[shared],
            ):
                values = values if part is None else values + part.to(dtype)
        if self.paired is not None:
            own = self.paired.gather(1, (columns - m).clamp(min=0))
            values = torch.where(columns >= m, own, values)
        return torch.where(columns < 0, -INF, values)

    def rank(self) -> Tensor:
        own = None if self.true_pairs.own is None else self.mean_positive() * LOG2E
        paired = None if self.paired is None else self.paired * LOG2E
        return ranks(self._tiles("in", INF), self.true_pairs.source, own, paired)


def _logaddexp(x: Tensor, y: Tensor) -> Tensor:
    """torch.logaddexp whose gradient is 0, not NaN, where a term is -inf."""
    both = ~(x.isneginf() | y.isneginf())
    sums = torch.logaddexp(torch.where(both, x, 0.0), torch.where(both, y, 0.0))
    return torch.where(both, sums, torch.where(x.isneginf(), y, x))
