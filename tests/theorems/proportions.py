"""Populations in exact proportion: a table of whole counts, every pair as often as it says, against the whole marginal.

A sum over such a population is an expectation under p(x, y), one over its chance pairs an expectation under p(x) p(y), so
objectives that are means over true and chance pairs take their population values, with nothing sampled.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from infomax.scores import Scores

FLOOR = -200.0  # stands for log 0 where a score has to be finite


@dataclass(frozen=True)
class Population:
    """`counts` (a, b) whole numbers, every row and column with some."""

    counts: Tensor

    @property
    def joint(self) -> Tensor:
        return self.counts.double() / self.counts.sum()

    @property
    def product(self) -> Tensor:
        """(a, b) p(x) p(y)."""
        return torch.outer(self.joint.sum(1), self.joint.sum(0))

    @property
    def information(self) -> float:
        return float(torch.special.xlogy(self.joint, self.joint / self.product).sum())

    @property
    def entropy(self) -> float:
        """H(Y)."""
        y = self.joint.sum(0)
        return float(-torch.special.xlogy(y, y).sum())

    def pmi(self) -> Tensor:
        return torch.where(self.joint > 0, (self.joint / self.product).clamp(min=1e-300).log(), FLOOR)

    def log_conditional(self) -> Tensor:
        """log p(y|x)."""
        return self.pmi() + self.joint.sum(0).log()

    def pairs(self) -> tuple[Tensor, Tensor]:
        """(D,) and (D,): x and y of each pair, as often as it stands in the table."""
        x, y = self.counts.nonzero(as_tuple=True)
        times = self.counts[x, y]
        return x.repeat_interleave(times), y.repeat_interleave(times)

    def as_matrix(self, critic: Tensor) -> Scores:
        """A row a pair, its own y in column 0, then the whole marginal."""
        x, y = self.pairs()
        return Scores.from_dense(
            torch.cat([critic[x, y].unsqueeze(1), critic[x][:, y]], 1), positives=torch.zeros_like(x)
        )

    def as_vectors(self, critic: Tensor) -> Scores:
        """The same, streamed: anchors are rows of the critic, candidates unit vectors."""
        x, y = self.pairs()
        unit = torch.eye(critic.shape[1], dtype=critic.dtype)[y]
        return Scores(critic[x], unit, positives=unit, backend="streamed")


REALISATIONS = [Population.as_matrix, Population.as_vectors]


def populations() -> dict[str, Population]:
    """Of several shapes and kinds."""
    tables = {
        "square": [[5, 1, 1], [1, 3, 2], [1, 2, 4]],
        "wide": [[6, 1, 1, 2], [1, 3, 2, 4]],
        "tall": [[4, 1], [1, 4], [2, 2], [5, 1]],
        "holes": [[4, 0, 2, 1], [0, 3, 2, 0], [3, 1, 0, 2]],
        "independent": [[1, 2, 3], [2, 4, 6]],
        "deterministic": [[5, 0, 0], [0, 4, 0], [0, 0, 6]],
    }
    return {name: Population(torch.tensor(table)) for name, table in tables.items()}


def critics(population: Population, count: int, seed: int = 0) -> list[Tensor]:
    """Of every strength, from nearly constant to far too sure, half of them near the best one."""
    rng = torch.Generator().manual_seed(seed)
    found = []
    for i in range(count):
        noise = torch.randn(*population.counts.shape, generator=rng, dtype=torch.float64) * 4.0 ** (i % 4 - 2)
        found.append(noise if i % 2 else population.pmi().clamp(min=-8) + noise)
    return found
