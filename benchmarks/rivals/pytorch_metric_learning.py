"""pytorch-metric-learning's NTXentLoss: a row for each (positive, negative) pair, so N**2 x N numbers."""

import torch
from pytorch_metric_learning.losses import NTXentLoss
from torch import Tensor

from benchmarks.rival import Rival


def loss(objective: str, q: Tensor, k: Tensor, temperature: float) -> Tensor:
    own = torch.arange(len(q))
    ntxent = NTXentLoss(temperature=temperature)
    if objective == "one_way":
        return ntxent(q, own, ref_emb=k, ref_labels=own.clone())  # the same object would mean the same items
    return ntxent(torch.cat([q, k]), torch.cat([own, own]))


RIVAL = Rival(
    "pytorch-metric-learning NTXentLoss",
    ("pytorch-metric-learning",),
    loss,
    ("one_way", "nt_xent"),
    largest=128,
    normalizes=True,
)
