"""Critics without parameters: the score of a pair is a product, a cosine or a distance of its two vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from infomax.scores import Scores, checks


def dot(x: Any, y: Any, *, temperature: Any = 1.0, **pairs: Any) -> Scores:
    """s_ij = <x_i, y_j> / temperature, for x (N, d) and y (M, d).

    Args:
        pairs: options of `Scores`: positives, ids, backend and so on.

    >>> dot(torch.eye(2), torch.eye(2), temperature=0.5).dense()
    tensor([[2., 0.],
            [0., 2.]])
    """
    return Scores(x, y, temperature=temperature, **pairs)


def cosine(x: Any, y: Any, *, temperature: Any = 0.07, **pairs: Any) -> Scores:
    """s_ij = cos(x_i, y_j) / temperature, for x (N, d) and y (M, d); a zero vector has cosine 0 with all.

    >>> cosine(torch.eye(2), 3 * torch.eye(2), temperature=0.5).dense()
    tensor([[2., 0.],
            [0., 2.]])
    """
    checks.embeddings(x, y)
    return Scores(normalize(x, dim=1), normalize(y, dim=1), temperature=temperature, **pairs)


def distance(x: Any, y: Any, *, temperature: Any = 1.0, **pairs: Any) -> Scores:
    """s_ij = -|x_i - y_j|² / temperature, for x (N, d) and y (M, d): the log of a Gaussian kernel.

    Written as a product of one more coordinate, so it streams, and no offset stands on the candidates: bounds may read
    it. Both sides are centred at the mean of the candidates, which changes no distance. A distance is right to about 10⁻⁷ (in
    float32) of the squared spread of the vectors about that mean: give float64 where distances of interest are smaller.

    >>> distance(torch.tensor([[0.0], [3.0]]), torch.tensor([[1.0], [3.0]])).dense()
    tensor([[-1., -9.],
            [-4.,  0.]])
    """
    checks.embeddings(x, y)
    checks.temperature(temperature, checks.wide(x.dtype))
    centre = y.detach().mean(0)
    x, y = x - centre, y - centre
    anchors = torch.cat([2 * x, torch.ones_like(x[:, :1])], 1)
    candidates = torch.cat([y, -_squared(y)], 1)
    return Scores(
        anchors, candidates, temperature=temperature, row_offset=-_squared(x).squeeze(1) / temperature, **pairs
    )


def _squared(x: Tensor) -> Tensor:
    """(N, 1) squared norms."""
    return x.square().sum(1, keepdim=True)
