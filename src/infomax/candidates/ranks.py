"""Rows of all processes, in the order of their ranks."""

from __future__ import annotations

import torch
from torch import Tensor, distributed


def gathered_rows(rows: Tensor) -> Tensor:
    """(n, …) rows of this process -> (Σ n, …) those of all, without gradient; each may have its own n, be it 0.

    The rows themselves where `torch.distributed` is not initialised. Every process must call it.
    """
    if not (distributed.is_available() and distributed.is_initialized()):
        return rows
    ranks = distributed.get_world_size()
    sizes = [torch.zeros(1, dtype=torch.int64, device=rows.device) for _ in range(ranks)]
    distributed.all_gather(sizes, torch.tensor([len(rows)], device=rows.device))
    most = max(int(size) for size in sizes)
    padded = rows.new_zeros(most, *rows.shape[1:])
    padded[: len(rows)] = rows.detach()
    parts = [torch.empty_like(padded) for _ in range(ranks)]
    distributed.all_gather(parts, padded)
    return torch.cat([part[: int(size)] for part, size in zip(parts, sizes, strict=True)])
