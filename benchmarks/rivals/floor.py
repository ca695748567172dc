"""The floor: the three matrix products of value and gradient in tiles, 6·N²·d flops, and no elementwise work.

`infomax.scores.product` chooses the product (the faster of oneDNN and torch.mm here); `floor_mm` is the same with torch.mm.
"""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.rival import Rival
from infomax.scores.product import Product, product_for

ROWS, COLUMNS = 512, 1024


@torch.no_grad()
def products(q: Tensor, k: Tensor, product: Product) -> None:
    """S = q kᵀ, then S k and qᵀ S, tile by tile, the layouts being those that the products like best."""
    for i in range(0, len(q), ROWS):
        rows = q[i : i + ROWS]
        thin = rows.T.contiguous()
        for j in range(0, len(k), COLUMNS):
            columns = k[j : j + COLUMNS]
            tile = product(rows, columns, None)
            product(tile, columns.T, None)
            product(thin, tile.T, None)


def both_sides(objective: str, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
    """The two sides of the matrix: NT-Xent compares all views with all views."""
    views = torch.cat([q, k]) if objective == "nt_xent" else None
    return (q, k) if views is None else (views, views)


def loss(objective: str, q: Tensor, k: Tensor, _: float) -> None:
    products(*both_sides(objective, q, k), product_for(torch.float32, torch.device("cpu")))


RIVAL = Rival("floor: the products alone", ("torch",), loss, ("one_way", "symmetric", "nt_xent"), floor=True)
