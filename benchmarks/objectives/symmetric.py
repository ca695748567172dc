"""InfoNCE both ways, as CLIP: the mean of each query among all keys and each key among all queries."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def loss(q: Tensor, k: Tensor, temperature: float) -> Tensor:
    """q, k (N, d), row i with row i -> the mean over both directions, in nats."""
    scores, own = q @ k.T / temperature, torch.arange(len(q))
    return (cross_entropy(scores, own) + cross_entropy(scores.T, own)) / 2
