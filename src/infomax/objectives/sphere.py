"""Alignment and uniformity: true pairs near, all items spread over the sphere; what InfoNCE asks for with many negatives.

    alignment  = mean of |x - y|^α over true pairs          uniformity = log mean over i ≠ j of e^{-t |x_i - x_j|²}

Source: Wang & Isola 2020, arXiv:2005.10242, section 4.1.
"""

from __future__ import annotations

from math import isfinite, log
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from infomax.critics import distance
from infomax.errors import InputError
from infomax.scores.checks import wide


def alignment(x: Any, y: Any, *, alpha: float = 2.0) -> Float[Tensor, " n"]:
    """(N,) |x - y|^alpha of true pairs of unit vectors (N, d); alpha at least 1.

    >>> alignment(torch.eye(2), torch.eye(2).flip(0))
    tensor([2.0000, 2.0000])
    """
    shapes = [tuple(z.shape) if isinstance(z, Tensor) else type(z).__name__ for z in (x, y)]
    if shapes[0] != shapes[1] or len(shapes[0]) != 2:
        raise InputError(f"x and y must be tensors of one shape (N, d); got {shapes[0]} and {shapes[1]}.")
    if not (isfinite(alpha) and alpha >= 1):
        raise InputError(f"alpha must be at least 1 and finite; got {alpha}.")
    return torch.linalg.vector_norm(x - y, dim=1, dtype=wide(x.dtype)).pow(alpha)


def uniformity(x: Any, *, t: float = 2.0) -> Float[Tensor, ""]:
    """() log of the mean potential of unit vectors (N, d), N at least 2: 0 where all coincide, lower where they spread.

    >>> uniformity(torch.eye(2))  # -2 · 2
    tensor(-4.)
    """
    if not (isfinite(t) and t > 0):
        raise InputError(f"t must be positive and finite; got {t}.")
    potential = distance(x, x, temperature=1 / t).logsumexp(positives="out")
    return torch.logsumexp(potential, 0) - log(len(x) * (len(x) - 1))
