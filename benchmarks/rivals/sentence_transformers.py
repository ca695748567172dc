"""sentence-transformers' MultipleNegativesRankingLoss behind an encoder that does nothing."""

from typing import Any

import torch
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from torch import Tensor

from benchmarks.encoder_of_nothing import columns, identity
from benchmarks.rival import Rival

DIRECTIONS: Any = {"one_way": ("query_to_doc",), "symmetric": ("query_to_doc", "doc_to_query")}


def loss(objective: str, q: Tensor, k: Tensor, temperature: float) -> Tensor:
    ranking = MultipleNegativesRankingLoss(
        identity, scale=1 / temperature, directions=DIRECTIONS[objective], partition_mode="per_direction"
    )
    return ranking(columns(q, k), torch.empty(0))


RIVAL = Rival("sentence-transformers MNRL", ("sentence-transformers",), loss, normalizes=True, dense=20)
