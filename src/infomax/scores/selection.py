"""Which candidates score highest, streamed: the rank of the positive and the hardest negatives. Not differentiable."""

from __future__ import annotations

import torch
from torch import Tensor

from infomax.scores.cells import CellSource
from infomax.scores.tiles import Tiles


@torch.no_grad()
def ranks(tiles: Tiles, positive: CellSource | None, own: Tensor | None, paired: Tensor | None) -> Tensor:
    """(N,) int64: negatives that score at least as high as the row's best positive (so a tie counts against it).

    Positives are the cells of `positive`, or the scores `own` (N,) in bits; `paired` (N, K) are further negatives in bits.
    """
    rank = torch.zeros(tiles.shape[0], dtype=torch.int64, device=tiles.device)
    for rows in tiles.row_slices(tiles.block_rows()):
        block = list(tiles.whole_rows(rows))
        best = _best_positive(tiles, rows, block, positive) if own is None else own[rows]
        further = block if paired is None else [*block, (slice(0, 0), paired[rows])]
        for _, tile in further:
            rank[rows] += (tile >= best.unsqueeze(1)).sum(1)
    return rank


def _best_positive(tiles: Tiles, rows: slice, block: list[tuple[slice, Tensor]], positive: CellSource | None) -> Tensor:
    """The highest positive score of each row; its positives are then taken out of the block."""
    best = torch.full((rows.stop - rows.start,), float("-inf"), dtype=tiles.dtype, device=tiles.device)
    cells = None if positive is None else tiles.cells((positive,), rows)
    if cells is not None:
        for columns, tile in block:
            if (here := cells.within(columns)) is not None:
                best.scatter_reduce_(0, here[0], tile[here], "amax")
                tile[here] = float("-inf")
    return best


@torch.no_grad()
def top_columns(tiles: Tiles, k: int, paired: Tensor | None, at_most: Tensor | None) -> tuple[Tensor, Tensor]:
    """((N, k) scores in bits, (N, k) int64 columns), best first; where fewer are live: -inf and column -1.

    `paired` (N, K), in bits, are columns M to M + K - 1; scores above `at_most` (N,), in bits, are passed over.
    """
    n, m = tiles.shape
    scores = torch.full((n, k), float("-inf"), dtype=tiles.dtype, device=tiles.device)
    columns = torch.full((n, k), -1, dtype=torch.int64, device=tiles.device)

    def merge(rows: slice, first: int, block: Tensor) -> None:
        if at_most is not None:
            block = block.masked_fill(block > at_most[rows].to(block.dtype).unsqueeze(1), float("-inf"))
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
