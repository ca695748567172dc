"""The critics of all folds as one batched model.

Each is log p(x, y) / p(x) p(y) ≈ baseline(u, v) + g(a(x) + b(y)): a Gaussian log ratio of canonical variates, corrected
by a network whose last layer starts at 0. Each side passes through a small network of its own, which costs one pass a
row, to a and b; what costs one pass a *pair* is g alone, two narrow layers.
"""

from __future__ import annotations

import math
from copy import deepcopy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

TILE = 2**13  # pairs that are scored at once: small enough for the processor's cache


@dataclass(frozen=True)
class Batched:
    """Inputs of all folds, (folds, m, ...) each.

    Attributes:
        x, y: features.
        u, v: canonical variates.
    """

    x: Tensor
    y: Tensor
    u: Tensor
    v: Tensor

    def __len__(self) -> int:
        return self.x.shape[1]

    def take(self, rows: Tensor) -> Batched:
        """The rows (folds, k) of each fold."""
        fold = torch.arange(len(rows))[:, None]
        return Batched(self.x[fold, rows], self.y[fold, rows], self.u[fold, rows], self.v[fold, rows])


class Baseline(nn.Module):
    """Gaussian log ratios of canonical variates, one set of correlations a fold.

    Args:
        rho: (folds, r), 0 where a fold has fewer pairs.
    """

    product: Tensor
    square: Tensor
    constant: Tensor

    def __init__(self, rho: Tensor) -> None:
        super().__init__()
        rest = 1 - rho**2
        self.register_buffer("product", (rho / rest).float()[:, None])
        self.register_buffer("square", (rho**2 / (2 * rest)).float()[:, None])
        self.register_buffer("constant", (-0.5 * rest.log().sum(-1)).float()[:, None])

    def of_fold(self, fold: int) -> Baseline:
        """The same, of one fold alone."""
        one = deepcopy(self)
        for name, values in self.named_buffers():
            setattr(one, name, values[fold : fold + 1])
        return one

    def table(self, u: Tensor, v: Tensor) -> Tensor:
        """(folds, m, k) log ratios of every u (folds, m, r) with every v (folds, k, r)."""
        own = self.constant - (u**2 * self.square).sum(-1)
        other = (v**2 * self.square).sum(-1)
        return torch.bmm(u * self.product, v.mT) + own[:, :, None] - other[:, None, :]


class Critics(nn.Module):
    """One network a fold; all tensors lead with the fold.

    Args:
        folds, d_x, d_y: how many networks, and the features of each side.
        hidden, code: width of the side networks and of what they hand on.
        width: of the two layers that see pairs.
        rng: draws the first weights.
    """

    def __init__(
        self, folds: int, d_x: int, d_y: int, *, hidden: int, code: int, width: int, rng: torch.Generator
    ) -> None:
        super().__init__()
        self.x_side = nn.ModuleList([_Layer(folds, d_x, hidden, rng), _Layer(folds, hidden, code, rng)])
        self.y_side = nn.ModuleList([_Layer(folds, d_y, hidden, rng), _Layer(folds, hidden, code, rng)])
        # four maps add up in what the middle layer sees: half the variance each
        self.x_join = nn.ModuleList([_Layer(folds, d, width, rng, variance=1.0) for d in (d_x, code)])
        self.y_join = nn.ModuleList([_Layer(folds, d, width, rng, variance=1.0) for d in (d_y, code)])
        self.middle = _Layer(folds, width, width, rng)
        self.last = _Layer(folds, width, 1, rng)
        nn.init.zeros_(self.last.weight)

    def of_fold(self, fold: int) -> Critics:
        """The network of one fold alone."""
        one = deepcopy(self)
        for p in one.parameters():
            p.data = p.data[fold : fold + 1]
        return one

    def sides(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """a(x) and b(y), (folds, m, width) each, of features (folds, m, d_x) and (folds, m, d_y)."""
        found = []
        for values, side, join in ((x, self.x_side, self.x_join), (y, self.y_side, self.y_join)):
            code = values
            for layer in side:
                code = nn.functional.silu(layer(code))
            found.append(join[0](values) + join[1](code))
        return found[0], found[1]

    def of_pairs(self, joined: Tensor) -> Tensor:
        """g: (folds, pairs) corrections from a + b, (folds, pairs, width), which is overwritten."""
        return self.last(self.middle(joined.relu_()).relu_()).squeeze(-1)


@torch.no_grad()
def score_table(critics: Critics, baseline: Baseline, rows: Batched, group: Tensor) -> Tensor:
    """(C, C) scores of the rows and candidates at the positions `group`, by a model of one fold, tile by tile."""
    of_group = rows.take(group[None])
    a, b = critics.sides(of_group.x, of_group.y)
    scores = baseline.table(of_group.u, of_group.v)[0]
    for tile in torch.arange(len(group)).split(max(1, TILE // len(group))):
        joined = a[:, tile, None] + b[:, None]
        scores[tile] += critics.of_pairs(joined.view(1, -1, a.shape[-1])).view(len(tile), -1)
    return scores


class _Layer(nn.Module):
    """A linear layer a fold, (folds, m, d) -> (folds, m, e)."""

    def __init__(self, folds: int, d: int, e: int, rng: torch.Generator, variance: float = 2.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(folds, d, e, generator=rng) * math.sqrt(variance / d))
        self.bias = nn.Parameter(torch.zeros(folds, 1, e))

    def forward(self, values: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, values, self.weight)
