"""Hard negatives from the whole corpus: for each anchor the best-scored candidates that are not its own.

The best-scored are often true pairs that nobody wrote down, so what scores above the true pair, less a margin, may be left out,
and so may the first few of the rest. Streamed: anchors against millions of candidates need no matrix. Sources: Xiong et al. 2021
(ANCE), arXiv:2007.00808, section 4; margins: Moreira et al. 2024 (NV-Retriever), arXiv:2407.15831, section 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from infomax.errors import InputError
from infomax.scores import Scores
from infomax.scores.checks import wide
from infomax.scores.true_pairs import TruePairs

CELLS = 1 << 24  # scores that an index is asked for at a time


@dataclass(frozen=True)
class HardNegatives:
    """What was found.

    Attributes:
        columns: (N, k) int64, rows of the candidates, best-scored first; -1 where there were no more.
        scores: (N, k) theirs; -inf where there were no more.
        positive: (N,) scores of the true pairs.
    """

    columns: Tensor
    scores: Tensor
    positive: Tensor

    @property
    def complete(self) -> Tensor:
        """(N,) bool: anchors that have all k."""
        return (self.columns >= 0).all(1)

    def of(self, candidates: Tensor) -> Tensor:
        """(N, k, d) for `Scores(..., negatives=)`: rows of the candidates, by whatever encoder.

        Raises:
            InputError: an anchor lacks some; choose by `complete`, or ask for fewer.
        """
        lacking = (~self.complete).nonzero()
        if len(lacking):
            raise InputError(
                f"{len(lacking)} anchors have fewer than {self.columns.shape[1]} negatives (first: {int(lacking[0])}): "
                "keep those of `complete`, ask for fewer, or narrow the margin."
            )
        return candidates[self.columns]


@torch.no_grad()
def mine_hard_negatives(
    anchors: Any,
    candidates: Any,
    k: int = 1,
    *,
    positives: Any = None,
    anchor_ids: Any = None,
    candidate_ids: Any = None,
    margin: float | None = None,
    relative_margin: float | None = None,
    skip_top: int = 0,
    index: Any = None,
) -> HardNegatives:
    """The k best-scored candidates of each anchor that are not its true pair.

    Args:
        anchors, candidates: (N, d) and (M, d), of unit length for cosines.
        positives, anchor_ids, candidate_ids: as `Scores` takes them; candidates of an anchor's id are left out.
        margin: leave out what scores above s_pos - margin.
        relative_margin: leave out what scores above s_pos - relative_margin·|s_pos|; 0.05 is usual. With both the lower limit
            holds; with labels s_pos is the mean over a row's true pairs.
        skip_top: how many of the best that are left to pass over.
        index: a faiss index of these candidates by inner product, or anything with its `search(vectors, k)`, in place of the
            exact streamed search. An exact index finds the same up to ties, one that approximates may miss some.

    Raises:
        InputError: k below 1, skip_top below 0, a margin that is not finite, or what `Scores` refuses.

    >>> anchors, candidates = torch.eye(3), torch.eye(3) + torch.tensor([0.9, 0.5, 0.0])
    >>> mine_hard_negatives(anchors, candidates, 1).columns.squeeze(1)
    tensor([1, 0, 0])
    """
    if k < 1 or skip_top < 0:
        raise InputError(f"k must be at least 1 and skip_top at least 0; got {k} and {skip_top}.")
    if not all(isfinite(m) for m in (margin, relative_margin) if m is not None):
        raise InputError(f"margins must be finite; got {margin} and {relative_margin}.")
    scores = Scores(anchors, candidates, positives=positives, anchor_ids=anchor_ids, candidate_ids=candidate_ids)
    positive = scores.positive()
    limits = [positive - margin] if margin is not None else []
    limits += [positive - relative_margin * positive.abs()] if relative_margin is not None else []
    at_most = torch.stack(limits).amin(0) if limits else None
    wanted = k + skip_top
    found = scores.hardest(wanted, at_most=at_most) if index is None else _searched(scores, wanted, at_most, index)
    values, columns = (part[:, skip_top:] for part in found)
    return HardNegatives(columns, values, positive)


def _searched(scores: Scores, wanted: int, at_most: Tensor | None, index: Any) -> tuple[Tensor, Tensor]:
    """`Scores.hardest` by an index that knows of no ids: it is asked for more until enough are left, or there are no more."""
    n, m = len(scores.anchors), len(scores.candidates)
    values = scores.anchors.new_full((n, wanted), -float("inf"))
    columns = torch.full((n, wanted), -1, device=values.device)
    rows, asked = torch.arange(n, device=values.device), min(m, 2 * wanted + 1)
    while True:
        for part in rows.split(max(1, CELLS // asked)):
            queries = scores.anchors[part].to("cpu", wide(scores.anchors.dtype)).numpy()
            near, where = (torch.as_tensor(x) for x in index.search(queries, asked))
            near, where = near.to(values), where.to(columns)
            left_out = _own(scores.true_pairs, part, where) | (where < 0)
            if at_most is not None:
                left_out |= near > at_most[part].unsqueeze(1)
            best = near.masked_fill(left_out, -float("inf")).topk(min(wanted, near.shape[1]), 1)
            values[part, : best.values.shape[1]] = best.values
            columns[part, : best.values.shape[1]] = where.gather(1, best.indices)
        rows = rows[values[rows, -1].isneginf()]
        if asked == m or not len(rows):
            return values, columns.masked_fill(values.isneginf(), -1)
        asked = min(m, 4 * asked)


def _own(pairs: TruePairs, rows: Tensor, where: Tensor) -> Tensor:
    """Which of the columns `where` (n, k) are their row's own, by position, label or id."""
    own = torch.zeros_like(where, dtype=torch.bool)
    if pairs.columns is not None:
        own |= where == pairs.columns[rows].unsqueeze(1)
    for keys in (pairs.labels, pairs.ids):
        if keys is not None:
            own |= keys.column_keys[where] == keys.row_keys[rows].unsqueeze(1)
    return own
