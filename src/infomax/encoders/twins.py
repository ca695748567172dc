"""Dropout twins: the same batch encoded twice, told apart by dropout alone. A true pair that needs no second view.

Source: Gao et al. 2021 (SimCSE), arXiv:2104.08821, section 3.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from infomax.errors import InputError


def dropout_twins(encoder: nn.Module, batch: Any) -> tuple[Tensor, Tensor]:
    """((N, d), (N, d)): two encodings of one batch, each with its own dropout, from torch's own generator as dropout is.

    Raises:
        InputError: both are equal, so that there is nothing to learn: no dropout, or a module in evaluation mode.

    >>> first, second = dropout_twins(nn.Dropout(0.5), torch.ones(4, 8))
    >>> first.shape, torch.equal(first, second)
    (torch.Size([4, 8]), False)
    """
    first, second = encoder(batch), encoder(batch)
    if torch.equal(first, second):
        raise InputError(
            "both encodings are equal, so the pair is told from nothing: call encoder.train(), and give it dropout "
            "(Hugging Face models have it; a static encoder does not, so take views of its texts)."
        )
    return first, second
