"""A weighted mean of embedding rows per text, whose backward pass costs what the batch touches.

out_b = 1/|b| * sum over tokens t of text b of  w[t] * table[t]

Both directions are one sparse-times-dense product (`embedding_bag`): forward gathers rows of the table by text,
backward gathers rows of the output's gradient by token. With G_t = sum over texts b that hold t of grad_b / |b|,
d table[t] = w[t] * G_t  and  d w[t] = <table[t], G_t>, formed for the distinct tokens of the batch only and handed
over as coalesced sparse tensors: no (vocabulary, d) array is written.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn import functional

from infomax.encoders.tokens import Tokens
from infomax.scores.first_derivative import first_derivative


def weighted_mean(
    table: torch.Tensor, weights: torch.Tensor, tokens: Tokens, *, sparse_gradients: bool = True
) -> torch.Tensor:
    """Rows of `table` (v, d), weighted by `weights` (v,), averaged per text: (n, d). A text without tokens is 0.

    With `sparse_gradients`, the gradients of table and weights are coalesced sparse tensors over the rows touched.
    """
    out: torch.Tensor = _WeightedMean.apply(table, weights, tokens.ids, tokens.offsets, sparse_gradients)
    return out


class _WeightedMean(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        table: torch.Tensor,
        weights: torch.Tensor,
        ids: torch.Tensor,
        offsets: torch.Tensor,
        sparse_gradients: bool,
    ) -> torch.Tensor:
        ctx.sparse_gradients = sparse_gradients
        ctx.save_for_backward(table, weights, ids, offsets)
        return _bag(table, ids, offsets, weights.index_select(0, ids)) / _lengths(offsets, table.dtype)

    @staticmethod
    @first_derivative
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        table, weights, ids, offsets = ctx.saved_tensors
        grad = grad / _lengths(offsets, grad.dtype)
        touched, texts, starts = _texts_by_token(ids, offsets)
        gathered = _bag(grad.contiguous(), texts, starts, None)
        scale = torch.linalg.vecdot(gathered, table.index_select(0, touched)) if ctx.needs_input_grad[1] else None
        rows = gathered.mul_(weights.index_select(0, touched)[:, None]) if ctx.needs_input_grad[0] else None
        place = _sparse if ctx.sparse_gradients else _dense
        return place(touched, rows, table), place(touched, scale, weights), None, None, None


def _bag(table: torch.Tensor, ids: torch.Tensor, offsets: torch.Tensor, weights: torch.Tensor | None) -> torch.Tensor:
    if not ids.numel():
        return table.new_zeros(len(offsets) - 1, table.shape[1])
    return functional.embedding_bag(
        ids, table, offsets.to(ids.dtype), mode="sum", per_sample_weights=weights, include_last_offset=True
    )


def _lengths(offsets: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return offsets.diff().clamp(min=1).to(dtype)[:, None]


def _texts_by_token(ids: torch.Tensor, offsets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """A batch transposed: its distinct tokens (u,), the text of each occurrence, offsets (u + 1,) into those."""
    text_of = torch.repeat_interleave(
        torch.arange(len(offsets) - 1, device=ids.device, dtype=ids.dtype), offsets.diff()
    )
    ordered, order = torch.sort(ids, stable=True)
    touched, counts = torch.unique_consecutive(ordered, return_counts=True)
    return touched.long(), text_of[order], functional.pad(counts.cumsum(0), (1, 0))


def _sparse(touched: torch.Tensor, values: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor | None:
    if values is None:
        return None
    return torch.sparse_coo_tensor(touched[None], values, like.shape, is_coalesced=True, check_invariants=False)


def _dense(touched: torch.Tensor, values: torch.Tensor | None, like: torch.Tensor) -> torch.Tensor | None:
    return None if values is None else torch.zeros_like(like).index_copy_(0, touched, values)
