"""CoSENT: pairs that people scored higher should be more alike, whatever by how much: a ranking loss for scored pairs.

    loss = log( 1 + Σ over pairs i, j with y_i > y_j of e^{λ (c_j - c_i)} )

c_i is the cosine of pair i. It stands on all N² comparisons at the cost of one sort: with pairs in the order of y, the sum over j
is a running log-sum-exp. Source: Su 2022, https://kexue.fm/archives/8847.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from infomax.errors import InputError


def cosent(similarities: Any, targets: Any, *, scale: float = 20.0) -> Float[Tensor, ""]:
    """() loss in nats.

    Args:
        similarities: (N,) floating point, the cosine of each pair.
        targets: (N,) what people gave; only its order counts, ties are not compared.
        scale: λ, one over the temperature.

    Raises:
        InputError: shapes that do not fit, NaN, or targets that are all equal.

    >>> cosent(torch.zeros(3), torch.tensor([0.0, 2.0, 5.0]))  # a constant critic: log(1 + 3 comparisons)
    tensor(1.3863)
    """
    targets = _checked(similarities, targets)
    if not (isfinite(scale) and scale > 0):
        raise InputError(f"scale must be positive and finite; got {scale}.")
    ordered, order = targets.sort()
    s = scale * similarities[order]
    below = torch.searchsorted(ordered, ordered)  # how many targets are lower, ties not counted
    compared = below > 0
    running = torch.logcumsumexp(s, 0)
    return softplus(torch.logsumexp(running[below[compared] - 1] - s[compared], 0))


def _checked(similarities: Any, targets: Any) -> Tensor:
    if not isinstance(similarities, Tensor) or similarities.ndim != 1 or not similarities.is_floating_point():
        raise InputError("similarities must be a floating point tensor (N,), one entry a pair.")
    try:
        targets = torch.as_tensor(targets, device=similarities.device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"targets must be numbers, one a pair ({error}).") from error
    if targets.shape != similarities.shape:
        raise InputError(f"targets must have shape {tuple(similarities.shape)}; got {tuple(targets.shape)}.")
    if bool(torch.isnan(targets).any()) or not bool(torch.isfinite(similarities).all()):
        raise InputError("targets hold NaN, or similarities NaN or infinity: drop those pairs.")
    if not len(targets) or bool((targets == targets[0]).all()):
        raise InputError("all targets are equal, so there is nothing to rank: use pairs of different targets.")
    return targets
