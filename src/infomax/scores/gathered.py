"""What the processes give to `Scores.gathered`, put together: rows one below the other, columns counted through."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from infomax.errors import InputError
from infomax.scores.gather import gathered

ROWS = ("row_offset", "column_offset", "anchor_ids", "candidate_ids", "negatives", "positive_offset", "negative_offset")


def of_all_processes(anchors: Any, candidates: Any, options: dict[str, Any]) -> tuple[Tensor, Tensor, dict[str, Any]]:
    """Anchors, candidates and options of `Scores` as all processes together would give them to one.

    What one process alone gives wrong is refused in all: one that stopped by itself would leave the others waiting.
    """
    positives = options.get("positives")
    labelled = isinstance(positives, tuple) and len(positives) == 2
    labels = positives if labelled and isinstance(positives, tuple) else (None, None)
    named = {name: options.get(name) for name in ROWS} | {
        "positives": None if labelled else positives,
        "the anchors' labels": labels[0],
        "the candidates' labels": labels[1],
    }
    device = next((x.device for x in (anchors, candidates) if isinstance(x, Tensor)), torch.device("cpu"))
    parts = {name: _as_tensor(value, device) for name, value in named.items()}
    whole, sizes = gathered({"anchors": anchors, "candidates": candidates, **parts})
    options = options | {name: whole[name] for name in ROWS if name in options}
    if labelled:
        options["positives"] = whole["the anchors' labels"], whole["the candidates' labels"]
    elif positives is None or not whole["positives"].is_floating_point():
        options["positives"] = _columns(whole["positives"], sizes["anchors"], sizes["candidates"], device)
    else:
        options["positives"] = whole["positives"]
    return whole["anchors"], whole["candidates"], options


def _as_tensor(value: Any, device: torch.device) -> Any:
    """None, a tensor where it can be one, else `value` for `gathered` to refuse."""
    try:
        return None if value is None else torch.as_tensor(value, device=device)
    except (TypeError, ValueError, RuntimeError):
        return value


def _columns(own: Tensor | None, rows: list[int], widths: list[int], device: torch.device) -> Tensor | None:
    """Columns among a process's own candidates as columns among all; None where row i pairs with column i."""
    if own is None and rows == widths:
        return None
    count, width = torch.tensor(rows, device=device), torch.tensor(widths, device=device)
    owner = torch.repeat_interleave(torch.arange(len(rows), device=device), count)
    if own is None:
        own = torch.arange(len(owner), device=device) - (count.cumsum(0) - count)[owner]
    outside = ((own < 0) | (own >= width[owner])).nonzero()
    if len(outside):
        first = int(outside[0])
        rank = int(owner[first])
        raise InputError(
            f"process {rank} pairs an anchor with column {int(own[first])} of its own {widths[rank]} candidates: "
            "`positives` counts the candidates of the same process."
        )
    return own + (width.cumsum(0) - width)[owner]
