"""Conditional NCE: data told from noisy copies of themselves, so that the noise is near wherever the data are.

The normaliser of the model cancels: log p̃ is learned up to a constant. Source: Ceylan & Gutmann 2018, arXiv:1806.03664.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from infomax.errors import InputError
from infomax.unnormalised.observed import log_model


def conditional_nce(model: Any, x: Tensor, noisy: Tensor, log_noise_ratio: Any = 0.0) -> Float[Tensor, " n"]:
    """(n,) 2 · mean over copies of log(1 + e^-G), G = log p̃(x) - log p̃(y) + log p_c(y | x) - log p_c(x | y).

    A model that tells nothing has loss 2 log 2. Consistent where the noise can walk from any data to any other. Very small
    noise makes it score matching; very large noise makes it ordinary contrast with a law that does not depend on x.

    Args:
        model: gives log p̃, (m,), of (m, *event); differentiable in its parameters.
        x: (n, *event) observations.
        noisy: (n, k, *event) copies of each, drawn from p_c(y | x).
        log_noise_ratio: (n, k) log p_c(y | x) - log p_c(x | y); 0 for symmetric noise such as an added Gaussian.

    Raises:
        InputError: copies that do not fit, or none.

    >>> x = torch.tensor([0.0, 1.0])
    >>> conditional_nce(lambda x: -(x**2) / 2, x, torch.tensor([[0.0], [1.0]]))  # copies equal to x: 2 log 2
    tensor([1.3863, 1.3863])
    """
    if (
        noisy.ndim != x.ndim + 1
        or noisy.shape[:1] != x.shape[:1]
        or noisy.shape[2:] != x.shape[1:]
        or not noisy.numel()
    ):
        raise InputError(
            f"noisy must hold at least one copy of each observation, shape (n, k, *event) for x of {tuple(x.shape)}; "
            f"got {tuple(noisy.shape)}."
        )
    of_copies = log_model(model, noisy.flatten(0, 1)).reshape(noisy.shape[:2])
    odds = log_model(model, x).unsqueeze(1) - of_copies + torch.as_tensor(log_noise_ratio).to(x)
    return 2 * softplus(-odds).mean(1)
