"""An encoder that hands through what it is given, so that a loss of sentence-transformers is all that is timed."""

from typing import Any

from torch import Tensor, nn


class Identity(nn.Module):
    def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
        return {"sentence_embedding": features["input_ids"]}


identity: Any = nn.Sequential(Identity())  # the losses look at a model's first module


def columns(q: Tensor, k: Tensor) -> list[dict[str, Tensor]]:
    return [{"input_ids": q}, {"input_ids": k}]
