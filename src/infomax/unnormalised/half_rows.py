"""Rows of a table in half precision, with a sparse gradient.

torch's own adds up what a repeated row gets in half precision, one by one, so that in bfloat16 a sum stands still after some
hundred terms. Here it is added up in float32, and rounded once.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from infomax.scores.first_derivative import first_derivative


class HalfRows(torch.autograd.Function):
    """table[ids]; table (V, ...), ids (n,) int64."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, ids: Tensor) -> Tensor:
        ctx.save_for_backward(ids)
        ctx.shape = table.shape
        return table[ids]

    @staticmethod
    @first_derivative
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        touched, place = ctx.saved_tensors[0].unique(return_inverse=True)
        sums = gradient.new_zeros(len(touched), *ctx.shape[1:], dtype=torch.float32)
        sums.index_add_(0, place, gradient.float())
        rows = sums.to(gradient.dtype)
        return torch.sparse_coo_tensor(touched[None], rows, ctx.shape, is_coalesced=True, check_invariants=False), None
