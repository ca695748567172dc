"""The reductions on a matrix that is stored: the definitions, plain enough to trust, the oracle of every test, and the fast path
for small inputs. Plain torch, so autograd gives every derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid  # exact where softplus cuts at 20

INF = float("inf")


@dataclass(frozen=True)
class Dense:
    """A stored score matrix.

    Attributes:
        s: (N, C) scores.
        positive: (N, C) bool, the true pairs.
        live: (N, C) bool, the cells that are seen.
        shared: the first columns, those of the shared candidates; the others belong to one row each.
    """

    s: Tensor
    positive: Tensor
    live: Tensor
    shared: int

    def mean_positive(self) -> Tensor:
        return torch.where(self.positive, self.s, 0.0).sum(1) / self.positive.sum(1)

    def _seen(self, positives: str) -> Tensor:
        return {"in": self.live, "out": self.live & ~self.positive, "only": self.positive}[positives]

    def logsumexp(self, beta: float, positives: str, both: bool = True) -> tuple[Tensor, Tensor]:
        """Over the candidates (N,), and over the anchors (shared,), empty unless `both`."""
        s = (beta * self.s).masked_fill(~self._seen(positives), -INF)
        return logsumexp_seen(s, 1), logsumexp_seen(s[:, : self.shared], 0) if both else s.new_zeros(0)

    def row_cross_entropy(self, _eager: bool = True) -> Tensor:
        """(N,) -log softmax of the row's one positive; autograd is as eager as it likes."""
        negatives, _ = self.logsumexp(1.0, "out", both=False)
        return -logsigmoid(self.mean_positive() - negatives)

    def symmetric_cross_entropy(self) -> tuple[Tensor, Tensor]:
        """(N,) and (N,): over the positive's row, and over its column."""
        rows, columns = self.logsumexp(1.0, "out")
        true, column = self.mean_positive(), self.positive.int().argmax(1)
        return -logsigmoid(true - rows), -logsigmoid(true - columns[column])

    def total(self, fn: Callable[[Tensor], Tensor], positives: str) -> Tensor:
        """(N,) sum of fn over the seen cells."""
        seen = self._seen(positives)
        return torch.where(seen, fn(torch.where(seen, self.s, 0.0)), 0.0).sum(1)

    def hardest(self, k: int, at_most: Tensor | None) -> tuple[Tensor, Tensor]:
        """((N, k), (N, k)) scores and columns of the best negatives not above `at_most` (N,); where fewer are live: -inf, -1."""
        s = self.s.masked_fill(~self._seen("out"), -INF)
        if at_most is not None:
            s = s.masked_fill(s > at_most.unsqueeze(1), -INF)
        if k > s.shape[1]:
            s = torch.cat([s, s.new_full((len(s), k - s.shape[1]), -INF)], 1)
        values, columns = s.topk(k, 1)
        return values, columns.masked_fill(values.isneginf(), -1)

    def rank(self) -> Tensor:
        best = self.s.masked_fill(~self.positive, -INF).amax(1, keepdim=True)
        return ((self.s >= best) & self._seen("out")).sum(1)


def logsumexp_seen(s: Tensor, axis: int) -> Tensor:
    """torch.logsumexp whose gradient is 0, not NaN, where nothing is seen."""
    empty = (
        s.isneginf().all(axis) if s.shape[axis] else torch.ones(s.shape[1 - axis], dtype=torch.bool, device=s.device)
    )
    filled = torch.where(empty.unsqueeze(axis), 0.0, s)
    sums = torch.logsumexp(filled, axis) if s.shape[axis] else filled.sum(axis)
    return torch.where(empty, -INF, sums)
