"""Retrieval: where does each anchor's true candidate stand when all candidates are sorted by score?

The rank of a positive is the number of live candidates that score at least as high (ties count against it, so that an
encoder that maps everything to one point finds nothing). Recall@k is the share of anchors with rank < k; the mean
reciprocal rank is the mean of 1 / (rank + 1). A candidate that carries the row's own id is another copy of the right
answer, not a competitor, and is left out. The score matrix is streamed, so n x m never has to fit in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from infomax.errors import InputError
from infomax.evaluation.result import Retrieval
from infomax.scores import Scores


@torch.no_grad()
def retrieval(
    anchors: torch.Tensor,
    candidates: torch.Tensor,
    *,
    ids: torch.Tensor | np.ndarray | Sequence[int] | None = None,
    positives: torch.Tensor | np.ndarray | Sequence[int] | None = None,
    ks: Sequence[int] = (1, 5, 10),
) -> Retrieval:
    """Recall@k and mean reciprocal rank by inner product.

    Args:
        anchors: (N, d) vectors; unit vectors make the score a cosine.
        candidates: (M, d) vectors.
        ids: (M,) integers, one a candidate; another candidate with the id of the row's positive is no competitor.
        positives: (N,) column of each row's true candidate; default: row i belongs to column i (then N = M).
        ks: how deep recall looks.

    Raises:
        InputError: shapes, ids or positives that do not fit together.
    """
    columns = _columns(anchors, candidates, positives)
    candidate_ids = None if ids is None else torch.as_tensor(np.asarray(ids), dtype=torch.int64)
    if candidate_ids is not None and candidate_ids.shape != (len(candidates),):
        raise InputError(
            f"ids must hold one integer a candidate ({len(candidates)}), got {tuple(candidate_ids.shape)}."
        )
    scores = Scores(
        anchors,
        candidates,
        positives=columns.to(anchors.device),
        anchor_ids=None if candidate_ids is None else candidate_ids[columns].to(anchors.device),
        candidate_ids=None if candidate_ids is None else candidate_ids.to(anchors.device),
    )
    return from_ranks(scores.rank().cpu().numpy(), len(candidates), ks)


def from_ranks(ranks: np.ndarray, candidates: int, ks: Sequence[int] = (1, 5, 10)) -> Retrieval:
    """Summarise (N,) 0-based ranks of the positives among `candidates`."""
    if min(ks, default=0) < 1:
        raise InputError(f"ks must be whole numbers of at least 1, got {tuple(ks)}.")
    recall = {int(k): float(np.mean(ranks < k)) for k in ks}
    return Retrieval(recall=recall, mrr=float(np.mean(1.0 / (ranks + 1.0))), anchors=len(ranks), candidates=candidates)


def _columns(
    anchors: torch.Tensor, candidates: torch.Tensor, positives: torch.Tensor | np.ndarray | Sequence[int] | None
) -> torch.Tensor:
    if anchors.ndim != 2 or candidates.ndim != 2 or anchors.shape[1] != candidates.shape[1] or len(anchors) == 0:
        raise InputError(
            f"retrieval needs anchors (N, d) and candidates (M, d) with one d and at least one row, "
            f"got {tuple(anchors.shape)} and {tuple(candidates.shape)}."
        )
    if positives is None:
        if len(anchors) != len(candidates):
            raise InputError(
                f"Without positives= row i belongs to candidate i, but there are {len(anchors)} anchors and "
                f"{len(candidates)} candidates; pass the column of each anchor's true candidate."
            )
        return torch.arange(len(anchors))
    columns = torch.as_tensor(np.asarray(positives), dtype=torch.int64)
    if columns.shape != (len(anchors),) or not bool(((columns >= 0) & (columns < len(candidates))).all()):
        raise InputError(
            f"positives must be one column (0 to {len(candidates) - 1}) for each of {len(anchors)} anchors."
        )
    return columns
