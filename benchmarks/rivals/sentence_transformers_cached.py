"""sentence-transformers' CachedMultipleNegativesRankingLoss, mini-batch 32 as by default, behind an encoder that does nothing."""

import torch
from sentence_transformers.sentence_transformer.losses import CachedMultipleNegativesRankingLoss
from torch import Tensor

from benchmarks.encoder_of_nothing import columns, identity
from benchmarks.rival import Rival
from benchmarks.rivals.sentence_transformers import DIRECTIONS


def loss(objective: str, q: Tensor, k: Tensor, temperature: float) -> Tensor:
    ranking = CachedMultipleNegativesRankingLoss(
        identity, scale=1 / temperature, directions=DIRECTIONS[objective], partition_mode="per_direction"
    )
    return ranking(columns(q, k), torch.empty(0))


RIVAL = Rival(
    "sentence-transformers cached MNRL",
    ("sentence-transformers",),
    loss,
    largest=8192,  # minutes beyond
    normalizes=True,
)
