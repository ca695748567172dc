"""Log-sum-exp and its gradient by fused Triton kernels, where what is left out is at most one cell a row and equal ids.

Forward, a tile of the product stays in registers and leaves (maximum, sum) of each of its rows and columns, in float32, which
torch merges in float64. Backward, chunks of weights are made anew from the merged sums, in the precision of the inputs, and the
library multiplies them. No atomics: two runs agree bit for bit. Products of float32 are IEEE, or TF32 where
`torch.backends.cuda.matmul` allows it; half precisions go to the tensor cores as they are, and are summed in float32.

Memory beside the vectors and their gradients: 17 MiB and 8 bytes a row and column forward, twice that while they are merged;
32 MiB backward. Checked in Triton's interpreter and compiled for sm_80 and sm_90; never yet timed or run on a GPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad

from infomax.errors import InputError
from infomax.scores.cells import Except, Matches, OneColumn
from infomax.scores.streamed import scaled
from infomax.scores.tiles import LOG2E, Gradients, Tile, Tiles, weighted_products

WIDTH = 16  # vectors are filled up to a multiple, so that loads are aligned
GROUP = 2048  # columns that one program sums
STRIP_CELLS = 1 << 28  # of one launch
CHUNK_BYTES = 32 << 20  # of weights: they stay in the level-2 cache of an A100 (40 MB) or an H100 (50 MB)
LOWEST = -3.0e38  # as in `triton_kernels`
ROOM = 2.0**15  # the largest weight: float16 ends at 2^16, and has no digits below 2^-24


def block(dtype: torch.dtype) -> dict[str, Any]:
    """Rows, columns and depth of a tile, and how a program works on it: one or two fit a multiprocessor of sm_80 or sm_90."""
    columns, depth = (64, 16) if dtype == torch.float32 else (128, 64)
    shape = {"ROWS": 128, "COLUMNS": columns, "DEPTH": depth}
    return shape | {"num_warps": 8, "num_stages": 3, "enable_fp_fusion": True}


def precision() -> str:
    """How float32 is multiplied: torch's setting; asking for the old name of it is an error once the new one is used."""
    setting = torch.backends.cuda.matmul
    tf32 = setting.fp32_precision == "tf32" if hasattr(setting, "fp32_precision") else setting.allow_tf32
    return "tf32" if tf32 else "ieee"


def kernels(device: torch.device) -> Any:
    """The module of kernels, if they run on this device."""
    try:
        from infomax.scores import triton_kernels
    except ImportError as error:
        raise InputError(
            f"backend 'triton' needs Triton ({error}): pip install triton (Linux), or use backend='streamed'."
        ) from error
    if device.type != "cuda" and not triton_kernels.INTERPRETED:
        raise InputError(
            f"backend 'triton' runs on CUDA, and the embeddings are on {device}: move them there, use backend='streamed', "
            "or set TRITON_INTERPRET=1 before Python starts, for Triton's slow interpreter."
        )
    return triton_kernels


def fused(tiles: Tiles) -> Tiles:
    """The same tiles, with the fused walks where these know all that is left out."""
    if tiles.only or tiles.hidden is not None or not tiles.shape[1]:
        return tiles
    match tiles.dead:
        case ():
            walks = FusedWalks()
        case (OneColumn(columns=own),):
            walks = FusedWalks(own)
        case (Matches() as ids,):
            walks = FusedWalks(None, ids)
        case (Except(source=Matches() as ids), OneColumn(columns=own)):
            walks = FusedWalks(own, ids)
        case _:
            return tiles
    return replace(tiles, fused=walks)


@dataclass(frozen=True)
class FusedWalks:
    """The walks of a log-sum-exp that leaves out cell (i, own[i]) of each row, and all cells of equal ids."""

    own: Tensor | None = None
    ids: Matches | None = None

    def log_sums(self, tiles: Tiles, beta: float, both: bool) -> tuple[Tensor, Tensor | None]:
        """As `streamed.log_sums`."""
        (n, m), height = tiles.shape, block(tiles.anchors.dtype)["ROWS"]
        rows = torch.empty(n, dtype=torch.float64, device=tiles.device)
        columns = torch.full((m,), float("-inf"), dtype=torch.float64, device=tiles.device) if both else None
        for strip in tiles.row_slices(max(height, STRIP_CELLS // m // height * height)):
            length = strip.stop - strip.start
            grid = -(-length // height), -(-m // GROUP)
            row_parts = torch.empty(2, grid[1], length, device=tiles.device)
            column_parts = torch.empty(2, grid[0], m, device=tiles.device) if both else None
            self._launch("log_sums", grid, tiles, strip, slice(0, m), beta, row_parts, column_parts, GROUP)
            rows[strip] = _merged(*row_parts)
            if columns is not None and column_parts is not None:
                columns = torch.logaddexp2(columns, _merged(*column_parts))
        return rows, columns

    def gradients(
        self, tiles: Tiles, beta: float, rows: Tensor, row_weight: Tensor, columns: Tensor | None,
        column_weight: Tensor | None, want_row: bool, want_column: bool,
    ) -> Gradients:  # fmt: skip
        """As `weighted_products` of `streamed.softmax_weights`."""
        largest = sum(float(x.abs().max()) for x in (row_weight, column_weight) if x is not None) or 1.0
        factor = ROOM / largest
        u, v = _side(tiles, row_weight, rows, factor), _side(tiles, column_weight, columns, factor)
        walk = self._weights(tiles, beta, *u, *v)
        gradients = weighted_products(tiles, lambda _i, _j, chunk: chunk, walk, want_row, want_column)
        gradients.factor = 1 / factor
        return gradients

    def _weights(
        self, tiles: Tiles, beta: float, u: Tensor | None, rows: Tensor | None, v: Tensor | None, columns: Tensor | None
    ) -> Iterator[Tile]:
        """u_i·2^{s_ij - rows_i} + v_j·2^{s_ij - columns_j}, chunk by chunk, in memory that the next chunk takes."""
        dtype, size, slices = tiles.anchors.dtype, block(tiles.anchors.dtype), list(tiles.column_slices())
        width, height = slices[0].stop, size["ROWS"]
        step = max(height, CHUNK_BYTES // dtype.itemsize // width // height * height)
        memory = torch.empty(min(step, tiles.shape[0]) * width, dtype=dtype, device=tiles.device)
        for i in tiles.row_slices(step):
            for j in slices:
                shape = i.stop - i.start, j.stop - j.start
                chunk = memory[: prod(shape)].view(shape)
                grid = -(-shape[0] // height), -(-shape[1] // size["COLUMNS"])
                sides = *_parts(i, u, rows), *_parts(j, v, columns)
                self._launch("weights", grid, tiles, i, j, beta, *sides, chunk)
                yield i, j, chunk

    def _launch(
        self, name: str, grid: tuple[int, int], tiles: Tiles, i: slice, j: slice, beta: float, *more: Any
    ) -> None:
        """Run a kernel on the cells of rows i and columns j."""
        module, bits, d = kernels(tiles.device), beta * LOG2E, tiles.anchors.shape[1]
        sides = tiles.anchors[i], tiles.candidates[j]
        a, b = (pad(x, (0, -d % WIDTH)) if d % WIDTH else x.contiguous() for x in sides)
        if module.INTERPRETED:
            a, b = a.float(), b.float()  # the interpreter would multiply bfloat16 as if it were integers
        offsets = *_parts(i, tiles.row_offset), *_parts(j, tiles.column_offset)
        row, column = (None if x is None else x.float() * bits for x in offsets)
        own = None if self.own is None else self.own[i] - j.start
        keys = (None, None) if self.ids is None else (self.ids.row_keys[i], self.ids.column_keys[j])
        row_ids, column_ids = (None if x is None else x.contiguous() for x in keys)
        with torch.cuda.device_of(a):
            getattr(module, name)[grid](
                a, b, row, column, own, row_ids, column_ids, len(a), len(b), a.shape[1], tiles.scale * bits, *more,
                SHIFTED=not tiles.unshifted, PRECISION=precision(), **block(tiles.anchors.dtype),
            )  # fmt: skip


def _parts(part: slice, *vectors: Tensor | None) -> tuple[Tensor | None, ...]:
    return tuple(None if x is None else x[part] for x in vectors)


def _side(
    tiles: Tiles, weight: Tensor | None, log2_sum: Tensor | None, factor: float
) -> tuple[Tensor | None, Tensor | None]:
    """Weights times a factor, and sums, in float32; the weights over the sums where scores need no shift."""
    if weight is None or log2_sum is None:
        return None, None
    if tiles.unshifted:
        return scaled(weight * factor, log2_sum).float(), None
    return (weight * factor).float(), log2_sum.clamp(min=LOWEST).float()


def _merged(tops: Tensor, sums: Tensor) -> Tensor:
    """log2 Σ 2^top·sum over the first axis, float64; -inf of nothing."""
    top = tops.amax(0)
    return (sums * (tops - top).exp2_()).sum(0, dtype=torch.float64).log2() + top
