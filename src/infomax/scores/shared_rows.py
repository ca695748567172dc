"""The reductions of a matrix that all processes have in common: each streams its share of the rows, and gets all results.

What an objective sees is the whole batch, so nothing about it changes; what a process computes of the N·M·d products is one part
in `processes`. Only vectors travel: one number a row, and one a column where anchors are summed over. Rows are shared out
evenly, whoever encoded them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import logsigmoid

from infomax.scores.dense import logsumexp_seen
from infomax.scores.gather import join, processes
from infomax.scores.streamed_scores import StreamedScores


def shares(rows: int, processes: int) -> list[int]:
    """How many rows each process has; they differ by one at most.

    >>> shares(10, 4)
    [3, 3, 2, 2]
    """
    return [rows // processes + (rank < rows % processes) for rank in range(processes)]


def share(rows: int, rank: int, processes: int) -> slice:
    """The rows of one process.

    >>> share(10, 1, 4)
    slice(3, 6, None)
    """
    start = sum(shares(rows, processes)[:rank])
    return slice(start, start + shares(rows, processes)[rank])


@dataclass(frozen=True)
class SharedRows:
    """The same methods as `Dense` and `StreamedScores`.

    Attributes:
        whole: the matrix, of which only single cells are computed here.
        block: this process's rows of it.
        rows: which these are.
        sizes: rows of each process.
    """

    whole: StreamedScores
    block: StreamedScores
    rows: slice
    sizes: list[int]

    @classmethod
    def of(cls, whole: StreamedScores) -> SharedRows:
        """Shared out to the processes that there are, of which none may be left without a row."""
        n, (rank, size) = len(whole.anchors), processes()
        rows = share(n, rank, size)
        return cls(whole, whole.of_rows(rows), rows, shares(n, size))

    def mean_positive(self) -> Tensor:
        return self.whole.mean_positive()

    def logsumexp(self, beta: float, positives: str, both: bool) -> tuple[Tensor, Tensor]:
        rows, columns = self.block.logsumexp(beta, positives, both)
        if both:
            parts = join(columns, [len(columns)] * len(self.sizes))
            columns = logsumexp_seen(parts.view(len(self.sizes), -1), 0)
        return join(rows, self.sizes), columns

    def row_cross_entropy(self, eager: bool) -> Tensor:
        return join(self.block.row_cross_entropy(eager), self.sizes)

    def symmetric_cross_entropy(self) -> tuple[Tensor, Tensor]:
        own = self.whole.true_pairs.columns
        assert own is not None
        true, (rows, columns) = self.mean_positive(), self.logsumexp(1.0, "out", True)
        return -logsigmoid(true - rows), -logsigmoid(true - columns[own])

    def total(self, fn: Callable[[Tensor], Tensor], positives: str) -> Tensor:
        return join(self.block.total(fn, positives), self.sizes)

    def hardest(self, k: int, at_most: Tensor | None) -> tuple[Tensor, Tensor]:
        values, columns = self.block.hardest(k, None if at_most is None else at_most[self.rows])
        return join(values, self.sizes), join(columns, self.sizes)

    def rank(self) -> Tensor:
        return join(self.block.rank(), self.sizes)
