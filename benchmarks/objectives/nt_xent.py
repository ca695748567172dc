"""NT-Xent, as SimCLR: each of the 2N views finds its other view among all views but itself."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy


def loss(q: Tensor, k: Tensor, temperature: float) -> Tensor:
    """q, k (N, d), row i with row i -> the mean over the 2N views, in nats."""
    views = torch.cat([q, k])
    scores = (views @ views.T / temperature).fill_diagonal_(float("-inf"))
    return cross_entropy(scores, torch.arange(len(views)).roll(len(q)))
