"""lightly's `NTXentLoss`, streamed: a batch of N items costs no (2N, 2N) matrix."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from infomax.errors import InputError
from infomax.objectives import info_nce, two_views
from infomax.scores.gather import processes


class NTXentLoss(nn.Module):
    """InfoNCE over the two views of a batch, equal to `lightly.loss.NTXentLoss`; its arguments, in its order.

    Args:
        temperature: positive.
        memory_bank_size: 0; for a memory bank take `infomax.objectives.moco_loss` with a `Queue`, which knows its own age.
        gather_distributed: refused with several processes; there, `infomax.Scores.gathered` and any objective.

    >>> import torch
    >>> NTXentLoss()(torch.eye(3), torch.eye(3))
    tensor(0.4327)
    """

    def __init__(self, temperature: float = 0.5, memory_bank_size: Any = 0, gather_distributed: bool = False) -> None:
        super().__init__()
        if not temperature > 0:
            raise InputError(f"temperature must be positive; got {temperature}.")
        size = memory_bank_size if isinstance(memory_bank_size, int) else memory_bank_size[0]
        if size:
            raise InputError(
                f"memory_bank_size={memory_bank_size}: take infomax.objectives.moco_loss with an infomax.candidates.Queue, or 0."
            )
        if gather_distributed and processes()[1] > 1:
            raise InputError(
                "gather_distributed=True is not supported; take info_nce(Scores.gathered(first, second), symmetric=True)."
            )
        self.temperature = temperature

    def forward(self, out0: Any, out1: Any) -> Tensor:
        """Mean loss in nats of (N, d) and (N, d), scaled to unit length here."""
        scores = two_views(out0, out1, temperature=self.temperature)
        return info_nce(scores.allowing_no_negatives()).mean()
