"""Pairs of unit vectors: a key is its query plus as much noise, so its cosine with the query is near 0.7."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

TEMPERATURE = 0.05


def draw(n: int, d: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Queries and keys, (n, d) each, float32, that ask for gradients."""
    rng = torch.Generator().manual_seed(seed)
    q = normalize(torch.randn(n, d, generator=rng), dim=1)
    k = normalize(q + normalize(torch.randn(n, d, generator=rng), dim=1), dim=1)
    return q.requires_grad_(), k.requires_grad_()
