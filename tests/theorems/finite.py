"""InfoNCE on finite alphabets, by exact sums: joint tables, their information, and the population objective.

With K candidates, one drawn with the anchor and K - 1 from the marginal, the objective is a sum over all tuples
(x, y_1, ..., y_K) of p(x, y_1) p(y_2) ... p(y_K) · loss, no sampling. The library computes the loss of every tuple.
"""

from __future__ import annotations

from itertools import product
from math import log

import torch
from torch import Tensor

from infomax.objectives import info_nce
from infomax.scores import Scores

FLOOR = -200.0  # stands for log 0 where a score has to be finite: e^-200 is 0 beside anything
TOLERANCE = 1e-9


def tables() -> dict[str, Tensor]:
    """Joint tables p(x, y), float64, of several shapes and kinds; every row and column has some mass."""
    rng = torch.Generator().manual_seed(3)

    def normalised(t: Tensor) -> Tensor:
        return t.double() / t.double().sum()

    def random(a: int, b: int) -> Tensor:
        return normalised(torch.rand(a, b, generator=rng, dtype=torch.float64) ** 2 + 0.01)

    holes = random(3, 4) * torch.tensor([[1, 0, 1, 1], [0, 1, 1, 0], [1, 1, 0, 1]])
    return {
        "square": random(3, 3),
        "wide": random(2, 4),
        "tall": random(4, 2),
        "holes": normalised(holes),
        "independent": torch.outer(random(1, 3).squeeze(0), random(1, 4).squeeze(0)),
        "deterministic": torch.diag(random(1, 3).squeeze(0)),
        "function of x": normalised(torch.tensor([[3, 0], [0, 1], [2, 0], [0, 2]])),
    }


def information(joint: Tensor) -> float:
    """I(X; Y) in nats."""
    x, y = joint.sum(1, keepdim=True), joint.sum(0, keepdim=True)
    return float(torch.special.xlogy(joint, joint / (x * y)).sum())


def pmi(joint: Tensor) -> Tensor:
    """log p(x, y) / p(x) p(y), with `FLOOR` for log 0."""
    ratio = joint / (joint.sum(1, keepdim=True) * joint.sum(0, keepdim=True))
    return torch.where(joint > 0, ratio.clamp(min=1e-300).log(), FLOOR)


def tuples(joint: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """All (x, (y_1, ..., y_k)) of positive probability, y_1 the true one, and the probabilities: (T,), (T, k), (T,)."""
    a, b = joint.shape
    every = torch.tensor(list(product(range(a), *[range(b)] * k)))
    x, ys = every[:, 0], every[:, 1:]
    p = joint[x, ys[:, 0]] * joint.sum(0)[ys[:, 1:]].prod(1)
    return x[p > 0], ys[p > 0], p[p > 0]


def as_matrix(critic: Tensor, x: Tensor, ys: Tensor) -> Scores:
    """A row a tuple, the true candidate in column 0."""
    return Scores.from_dense(critic[x.unsqueeze(1), ys], positives=torch.zeros_like(x))


def as_vectors(critic: Tensor, x: Tensor, ys: Tensor) -> Scores:
    """The same scores streamed: anchors are rows of the critic, candidates unit vectors that belong to their row."""
    one_hot = torch.eye(critic.shape[1], dtype=critic.dtype)[ys]
    nobody = critic.new_zeros(0, critic.shape[1])
    return Scores(critic[x], nobody, positives=one_hot[:, 0], negatives=one_hot[:, 1:], backend="streamed")


REALISATIONS = [as_matrix, as_vectors]


def population_loss(joint: Tensor, critic: Tensor, k: int, realise=as_matrix) -> Tensor:
    """E[InfoNCE loss] with k candidates, differentiable in the critic (a, b)."""
    x, ys, p = tuples(joint, k)
    return (p * info_nce(realise(critic, x, ys))).sum()


def value(joint: Tensor, critic: Tensor, k: int, realise=as_matrix) -> float:
    """log k - loss: what is read as information."""
    return log(k) - float(population_loss(joint, critic, k, realise).detach())


def batches(joint: Tensor, k: int) -> tuple[Tensor, Tensor, Tensor]:
    """All batches of k pairs of positive probability: x (B, k), y (B, k), probabilities (B,)."""
    cells = joint.nonzero()
    which = torch.tensor(list(product(range(len(cells)), repeat=k)))
    pairs = cells[which]
    return pairs[..., 0], pairs[..., 1], joint[pairs[..., 0], pairs[..., 1]].prod(1)


def batch_loss(joint: Tensor, critic: Tensor, k: int, *, symmetric: bool) -> Tensor:
    """E[mean loss of a batch of k pairs], each row compared with the whole batch."""
    x, y, p = batches(joint, k)
    drawn = (Scores.from_dense(critic[rows][:, columns]) for rows, columns in zip(x, y, strict=True))
    return (p * torch.stack([info_nce(scores, symmetric=symmetric).mean() for scores in drawn])).sum()


def critics(joint: Tensor, count: int, seed: int = 0) -> list[Tensor]:
    """Critics of every strength, from nearly constant to far too sure, some near the best one."""
    rng = torch.Generator().manual_seed(seed)
    found = []
    for i in range(count):
        noise = torch.randn(*joint.shape, generator=rng, dtype=torch.float64) * 4.0 ** (i % 5 - 2)
        found.append(noise if i % 2 else pmi(joint).clamp(min=-8) + noise)
    return found
