"""Objectives that compare dimensions, not pairs: Barlow Twins and VICReg. No negatives; the collapse that these would prevent is
kept away by covariances. They hold a d × d matrix, and ask for wide embeddings rather than large batches.

    barlow_twins    Σ_k (1 - C_kk)² + λ Σ_{k≠l} C_kl²,   C the correlations between the views
    vicreg          λ mean |z - z'|² + μ [v(z) + v(z')] + ν [c(z) + c(z')],   v the mean over dimensions of max(0, 1 - std),
                    c the squared covariances off the diagonal, over d

Sources: Zbontar et al. 2021, arXiv:2103.03230, equation 1; Bardes et al. 2022, arXiv:2105.04906, equations 1 to 6.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.scores.checks import is_finite, no_autocast, wide


def barlow_twins(first: Any, second: Any, *, weight: float = 0.005, eps: float = 1e-5) -> Float[Tensor, ""]:
    """() loss of two views (N, d) of N items; `weight` is λ, `eps` is added to variances, as batch norm does.

    >>> z = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    >>> barlow_twins(z, z, eps=0.0)  # equal views, uncorrelated dimensions
    tensor(0.)
    """
    _check_numbers(weight=weight, eps=eps)
    first, second = _views(first, second)
    if eps == 0 and not bool((first.var(0) * second.var(0)).all()):
        raise InputError("a dimension is constant, which eps=0 would divide by: leave eps at its default.")
    with no_autocast(first.device):
        a, b = ((z - z.mean(0)) / (z.var(0, correction=0) + eps).sqrt() for z in (first, second))
        c = a.T @ b / len(a)
    own = c.diagonal()
    return (1 - own).square().sum() + weight * (c.square().sum() - own.square().sum())


def vicreg(
    first: Any,
    second: Any,
    *,
    invariance: float = 25.0,
    variance: float = 25.0,
    covariance: float = 1.0,
    eps: float = 1e-4,
) -> Float[Tensor, ""]:
    """() loss of two views (N, d) of N items, with the weights λ, μ and ν of its three terms as in the paper.

    The paper's code takes the mean over dimensions, too, in the first term and half of the second: divide `invariance` by d and
    `variance` by 2 for its numbers.

    >>> z = torch.zeros(4, 2)
    >>> vicreg(z, z, eps=0.0)  # collapsed: 25 for each view
    tensor(50.)
    """
    _check_numbers(invariance=invariance, variance=variance, covariance=covariance, eps=eps)
    first, second = _views(first, second)
    alike = (first - second).square().sum(1).mean()
    spread = sum((1 - (z.var(0) + eps).sqrt()).relu().mean() for z in (first, second))
    crossed = sum(_covariances(z) for z in (first, second))
    return invariance * alike + variance * spread + covariance * crossed


def _check_numbers(**numbers: Any) -> None:
    for name, value in numbers.items():
        if not (is_finite(value) and value >= 0):
            raise InputError(f"{name} must be a finite number of at least 0; got {value!r}.")


def _covariances(z: Tensor) -> Tensor:
    """Σ of squared covariances off the diagonal, over d."""
    with no_autocast(z.device):
        c = torch.cov(z.T).reshape(z.shape[1], z.shape[1])
    return (c.square().sum() - c.diagonal().square().sum()) / z.shape[1]


def _views(first: Any, second: Any) -> tuple[Tensor, Tensor]:
    """Both, checked; half precisions as float32."""
    shapes = [tuple(z.shape) if isinstance(z, Tensor) else (type(z).__name__,) for z in (first, second)]
    if shapes[0] != shapes[1] or len(shapes[0]) != 2 or len(first) < 2 or not first.is_floating_point():
        raise InputError(
            f"the two views must be floating point tensors of one shape (N, d), N at least 2; got {shapes[0]} and {shapes[1]}."
        )
    if not bool(torch.isfinite(first).all() and torch.isfinite(second).all()):
        raise InputError("the views hold NaN or infinity: check the encoder's output and the learning rate.")
    return first.to(wide(first.dtype)), second.to(wide(second.dtype))
