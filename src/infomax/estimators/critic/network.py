"""The critics of all folds as one batched model.

Each is log p(x, y) / p(x) p(y) ≈ baseline(u, v) + g(a(x) + b(y)): a Gaussian log ratio of canonical variates, corrected
by a network whose last layer starts at 0. Each side passes through a small network of its own, which costs one pass a
row, to a and b; what costs one pass a *pair* is g alone, two narrow layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import silu

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


class Baseline:
    """Gaussian log ratios of canonical variates.

    Args:
        rho: (folds, r) correlations, 0 where a fold has fewer pairs.
    """

    def __init__(self, rho: Tensor) -> None:
        self.rho = rho
        rest = 1 - rho**2
        self._product, self._square = (rho / rest).float(), (rho**2 / (2 * rest)).float()
        self._constant = (-0.5 * rest.log().sum(-1)).float()

    def of_fold(self, fold: int) -> Baseline:
        """The same, of one fold alone."""
        return Baseline(self.rho[fold : fold + 1])

    def table(self, u: Tensor, v: Tensor) -> Tensor:
        """(folds, ..., m, k) log ratios of every u (folds, ..., m, r) with every v (folds, ..., k, r)."""
        product, square, constant = (
            values.view(len(values), *[1] * (u.ndim - 2), -1)
            for values in (self._product, self._square, self._constant)
        )
        own, other = (u**2 * square).sum(-1), (v**2 * square).sum(-1)
        return (u * product) @ v.mT + (constant[..., 0] - own)[..., None] - other[..., None, :]


@dataclass(frozen=True)
class Sizes:
    """Of a critic: features of each side, then the side networks' hidden layer and code, and the layers that see pairs."""

    d_x: int
    d_y: int
    hidden: int
    code: int
    width: int

    def layers(self) -> dict[str, tuple[int, int, float]]:
        """Name -> (inputs, outputs, variance of the first weights times inputs)."""
        return {
            "x hidden": (self.d_x, self.hidden, 2.0),
            "x code": (self.hidden, self.code, 2.0),
            "y hidden": (self.d_y, self.hidden, 2.0),
            "y code": (self.hidden, self.code, 2.0),
            "x direct": (self.d_x, self.width, 1.0),  # these four add up in what the middle layer sees
            "x joined": (self.code, self.width, 1.0),
            "y direct": (self.d_y, self.width, 1.0),
            "y joined": (self.code, self.width, 1.0),
            "middle": (self.width, self.width, 2.0),
            "last": (self.width, 1, 0.0),
        }


class Critics:
    """One network a fold; all tensors lead with the fold.

    Attributes:
        weights: (folds, parameters), all weights and biases.
        sizes: of each network.
        layers: name -> weights (folds, d, e) and biases (folds, 1, e), leaves of autograd that share memory with `weights`.
    """

    def __init__(self, weights: Tensor, sizes: Sizes) -> None:
        self.weights, self.sizes = weights, sizes
        self.layers: dict[str, tuple[Tensor, Tensor]] = {}
        start = 0
        for name, (d, e, _) in sizes.layers().items():
            middle, end = start + d * e, start + d * e + e
            matrix, bias = weights[:, start:middle].unflatten(1, (d, e)), weights[:, None, middle:end]
            self.layers[name] = (matrix.detach().requires_grad_(), bias.detach().requires_grad_())
            start = end

    @classmethod
    def start(cls, folds: int, sizes: Sizes, rng: torch.Generator) -> Critics:
        """Networks with random first weights, whose corrections are 0."""
        parts = []
        for d, e, variance in sizes.layers().values():
            parts += [torch.randn(folds, d * e, generator=rng) * math.sqrt(variance / d), torch.zeros(folds, e)]
        return cls(torch.cat(parts, 1), sizes)

    def of_fold(self, fold: int) -> Critics:
        """The network of one fold alone."""
        return Critics(self.weights[fold : fold + 1], self.sizes)

    def gradient(self) -> Tensor:
        """(folds, parameters) what `backward` has left at the layers, which is taken away from there."""
        found = []
        for leaf in (part for layer in self.layers.values() for part in layer):
            assert leaf.grad is not None
            found.append(leaf.grad.flatten(1))
            leaf.grad = None
        return torch.cat(found, 1)

    def sides(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """a(x) and b(y), (folds, m, width) each, of features (folds, m, d_x) and (folds, m, d_y)."""
        return self._side("x", x), self._side("y", y)

    def of_pairs(self, joined: Tensor) -> Tensor:
        """g: (folds, pairs) corrections from a + b, (folds, pairs, width), which is overwritten."""
        seen = self._linear("middle", joined.relu_()).relu_()
        matrix, bias = self.layers["last"]
        return (seen * matrix.mT).sum(-1) + bias[:, 0]  # faster than a product of so few columns

    def _side(self, side: str, values: Tensor) -> Tensor:
        code = silu(self._linear(f"{side} code", silu(self._linear(f"{side} hidden", values))))
        return self._linear(f"{side} direct", values) + self._linear(f"{side} joined", code)

    def _linear(self, name: str, values: Tensor) -> Tensor:
        matrix, bias = self.layers[name]
        return torch.baddbmm(bias, values, matrix)


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
