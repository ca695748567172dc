"""InfoNCE over the candidates: each query finds its key among all keys."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def loss(q: Tensor, k: Tensor, temperature: float) -> Tensor:
    """q, k (N, d), row i with row i -> the mean over the queries, in nats."""
    return cross_entropy(q @ k.T / temperature, torch.arange(len(q)))
