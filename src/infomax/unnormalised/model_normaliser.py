"""What binary NCE takes off the scores of a context as its log normaliser: a number, one learned number, or c(context).

With a number the model learns to normalise itself. One learned number is right where all contexts share it. Binary NCE of
conditional models is consistent only with c free in each context (Ma & Collins 2018, arXiv:1809.01812); here c is linear in
the vector h, which is as free as contexts with independent vectors are. Where the output vectors are learned too, c adds
no law to the model, as <h, w> - c(h) is again such a product: it moves all classes at once, which steps on a few rows cannot.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import torch
from torch import Tensor, nn

from infomax.errors import InputError


class ModelNormaliser(nn.Module):
    """c(h), in nats: `kind` is a finite number, "learned" (parameter `bias`) or "context" (`weight`, `bias`; 0 at the start).

    A state that lacks these parameters, an `nn.Linear`'s, leaves them as they are.
    """

    weight: Tensor | None
    bias: Tensor | None

    def __init__(self, kind: Any, width: int, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        number = isinstance(kind, int | float) and not isinstance(kind, bool) and isfinite(kind)
        if not number and kind not in ("learned", "context"):
            raise InputError(f"log_normaliser must be a finite number, 'learned' or 'context'; got {kind!r}.")
        self.held = float(kind) if number else None
        options = {"device": device, "dtype": dtype}
        self.register_parameter("weight", nn.Parameter(torch.zeros(width, **options)) if kind == "context" else None)
        self.register_parameter("bias", None if number else nn.Parameter(torch.zeros((), **options)))

    def forward(self, hidden: Tensor) -> float | Tensor:
        """A number, () or (n,), of (n, d) contexts."""
        if self.bias is None:
            assert self.held is not None
            return self.held
        return self.bias if self.weight is None else hidden @ self.weight + self.bias

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        for name, own in self.named_parameters(recurse=False):
            state_dict.setdefault(prefix + name, own.detach())
        super()._load_from_state_dict(state_dict, prefix, *rest)
