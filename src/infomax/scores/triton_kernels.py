"""Triton kernels over blocks of the score matrix: sums of 2^s along both sides, and the weights of a log-sum-exp.

Scores are in bits, as in `tiles`. An argument that may be None is left out of the compiled kernel. Rows and columns are
counted from those of `a` and `b`; no program writes where another does.
"""

from __future__ import annotations

from typing import no_type_check

import triton
import triton.language as tl

LOWEST = tl.constexpr(-3.0e38)  # the maximum of nothing: finite, so that -inf - it is no NaN


@triton.jit
@no_type_check
def _bits(
    a, b, row_offset, column_offset, positive, row_ids, column_ids, n, m, d, scale, row, column,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """(ROWS, COLUMNS) of s from cell (row, column) on; -inf beyond the matrix, at the positives, and where ids are equal."""
    rows, columns, depth = tl.arange(0, ROWS), tl.arange(0, COLUMNS), tl.arange(0, DEPTH)
    i, j = row + rows, column + columns
    left = a + row.to(tl.int64) * d + rows[:, None] * d + depth[None, :]
    right = b + column.to(tl.int64) * d + columns[None, :] * d + depth[:, None]
    s = tl.zeros((ROWS, COLUMNS), tl.float32)
    for k in range(0, d, DEPTH):
        x = tl.load(left + k, mask=(i < n)[:, None] & (depth < d - k)[None, :], other=0.0)
        y = tl.load(right + k, mask=(j < m)[None, :] & (depth < d - k)[:, None], other=0.0)
        s = tl.dot(x, y, s, input_precision=PRECISION)
    s *= scale
    if row_offset is not None:
        s += tl.load(row_offset + i, mask=i < n, other=0.0)[:, None]
    if column_offset is not None:
        s += tl.load(column_offset + j, mask=j < m, other=0.0)[None, :]
    seen = (i < n)[:, None] & (j < m)[None, :]
    if positive is not None:
        seen &= tl.load(positive + i, mask=i < n, other=-1)[:, None] != j[None, :]
    if row_ids is not None:
        own, other = tl.load(row_ids + i, mask=i < n, other=0), tl.load(column_ids + j, mask=j < m, other=0)
        seen &= own[:, None] != other[None, :]
    return tl.where(seen, s, float("-inf"))


@triton.jit
@no_type_check
def log_sums(
    a, b, row_offset, column_offset, positive, row_ids, column_ids, n, m, d, scale,
    row_parts, column_parts, GROUP: tl.constexpr, SHIFTED: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Program (p, q) sums rows block p over columns group q: (maximum, sum relative to it) a row, and a column if wanted.

    row_parts (2, groups, n) and column_parts (2, blocks, m); without SHIFTED the maximum is 0.
    """
    p, q = tl.program_id(0), tl.program_id(1)
    i = p * ROWS + tl.arange(0, ROWS)
    total = tl.zeros((ROWS,), tl.float32)
    top = tl.full((ROWS,), LOWEST, tl.float32) if SHIFTED else total
    for start in range(0, tl.minimum(GROUP, m - q * GROUP), COLUMNS):
        column = q * GROUP + start
        s = _bits(
            a, b, row_offset, column_offset, positive, row_ids, column_ids, n, m, d, scale, p * ROWS, column,
            ROWS, COLUMNS, DEPTH, PRECISION,
        )  # fmt: skip
        j = column + tl.arange(0, COLUMNS)
        if SHIFTED:
            higher = tl.maximum(top, tl.max(s, 1))
            total = total * tl.exp2(top - higher) + tl.sum(tl.exp2(s - higher[:, None]), 1)
            top = higher
            column_top = tl.maximum(tl.max(s, 0), LOWEST)
            powers = tl.exp2(s - column_top[None, :])
        else:
            powers = tl.exp2(s)
            total += tl.sum(powers, 1)
            column_top = tl.zeros((COLUMNS,), tl.float32)
        if column_parts is not None:
            tl.store(column_parts + p * m + j, column_top, mask=j < m)
            tl.store(column_parts + (tl.num_programs(0) + p) * m + j, tl.sum(powers, 0), mask=j < m)
    tl.store(row_parts + q * n + i, top, mask=i < n)
    tl.store(row_parts + (tl.num_programs(1) + q) * n + i, total, mask=i < n)


@triton.jit
@no_type_check
def weights(
    a, b, row_offset, column_offset, positive, row_ids, column_ids, n, m, d, scale,
    u, row_sums, v, column_sums, out, SHIFTED: tl.constexpr,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, DEPTH: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """out (n, m): u_i·2^{s - row_sums_i} + v_j·2^{s - column_sums_j}; without SHIFTED u and v hold the sums already."""
    row, column = tl.program_id(0) * ROWS, tl.program_id(1) * COLUMNS
    s = _bits(
        a, b, row_offset, column_offset, positive, row_ids, column_ids, n, m, d, scale, row, column,
        ROWS, COLUMNS, DEPTH, PRECISION,
    )  # fmt: skip
    i, j = row + tl.arange(0, ROWS), column + tl.arange(0, COLUMNS)
    w = tl.load(u + i, mask=i < n, other=0.0)[:, None]
    if SHIFTED:
        w *= tl.exp2(s - tl.load(row_sums + i, mask=i < n, other=0.0)[:, None])
        if v is not None:
            powers = tl.exp2(s - tl.load(column_sums + j, mask=j < m, other=0.0)[None, :])
            w += tl.load(v + j, mask=j < m, other=0.0)[None, :] * powers
    else:
        if v is not None:
            w += tl.load(v + j, mask=j < m, other=0.0)[None, :]
        w *= tl.exp2(s)
    tl.store(out + i[:, None] * m + j[None, :], w.to(out.dtype.element_ty), mask=(i < n)[:, None] & (j < m)[None, :])


INTERPRETED = not isinstance(log_sums, triton.JITFunction)  # TRITON_INTERPRET was set when triton was imported
