"""Which candidates score highest, streamed: the rank of the positive and the hardest negatives. Not differentiable."""

from __future__ import annotations

import torch
from torch import Tensor

from infomax.scores.cells import CellSource, RowBlockCells
from infomax.scores.tiles import Tiles


@torch.no_grad()
def ranks(tiles: Tiles, positive: CellSource | None, own: Tensor | None, paired: Tensor | None) -> Tensor:
    """(N,) int64: negatives that score at least as high as the row's best positive (so a tie counts against it).

    Positives are the cells of `positive`, or the scores `own` (N,) in bits; `paired` (N, K) are further negatives in bits.
    """
    (n, m), size = tiles.shape, tiles.block_rows()
    rank = torch.zeros(n, dtype=torch.int64, device=tiles.device)
    buffer = torch.empty(size, m, dtype=tiles.dtype, device=tiles.device)
    for rows in tiles.row_slices(size):
        block, lifted, unseen = buffer[: rows.stop - rows.start], tiles.lift(rows), tiles.unseen(rows)
        for columns in tiles.column_slices():
            tile = tiles.bits(lifted, rows, columns)
            unseen.erase(tile, columns, float("-inf"))
            block[:, columns] = tile
        best = _best_positive(block, rows, positive) if own is None else own[rows]
        rank[rows] = (block >= best.unsqueeze(1)).sum(1)
        if paired is not None:
            rank[rows] += (paired[rows] >= best.unsqueeze(1)).sum(1)
    return rank


def _best_positive(block: Tensor, rows: slice, positive: CellSource | None) -> Tensor:
    """The highest positive score of each row; its positives are then taken out of the block."""
    best = block.new_full((len(block),), float("-inf"))
    cells = None if positive is None else RowBlockCells.of((positive,), rows)
    if cells is not None:
        best.scatter_reduce_(0, cells.row, block[cells.row, cells.column], "amax")
        block[cells.row, cells.column] = float("-inf")
    return best


@torch.no_grad()
def top_columns(tiles: Tiles, k: int, paired: Tensor | None) -> tuple[Tensor, Tensor]:
    """((N, k) scores in bits, (N, k) int64 columns), best first; where fewer are live: -inf and column -1.

    `paired` (N, K), in bits, are columns M to M + K - 1.
    """
    n, m = tiles.shape
    scores = torch.full((n, k), float("-inf"), dtype=tiles.dtype, device=tiles.device)
    columns = torch.full((n, k), -1, dtype=torch.int64, device=tiles.device)

    def merge(rows: slice, first: int, block: Tensor) -> None:
        top = block.topk(min(k, block.shape[1]), 1)
        merged = torch.cat([scores[rows], top.values], 1).topk(k, 1)
        named = torch.cat([columns[rows], top.indices + first], 1)
        scores[rows], columns[rows] = merged.values, named.gather(1, merged.indices)

    for rows, part, tile in tiles.walk():
        merge(rows, part.start, tile)
    if paired is not None:
        for rows in tiles.row_slices(4096):
            merge(rows, m, paired[rows])
    return scores, columns.masked_fill(scores.isneginf(), -1)
