"""How sure a noise-contrastive estimate is: its asymptotic covariance, and its distance from the Cramér-Rao bound.

With g the gradient of log p in parameters and c, and P = ν q / (p + ν q), √T (estimate - truth) has in the limit covariance

    Σ = I⁻¹ - (1 + 1/ν) I⁻¹ E[P g] E[P g]ᵀ I⁻¹,    I = E[P g gᵀ],  E over the data's law

(Gutmann & Hyvärinen 2012, JMLR 13, theorem 3). Its block of the parameters falls to the inverse covariance of g, the
Cramér-Rao bound, as ν → ∞. `sandwich` estimates the same from data and noise draws, each side's scatter
as it is; it leaves out the model's second derivatives, whose part vanishes where the model can be right.
"""

from __future__ import annotations

from math import log

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

SINGULAR = 1e-10  # of an information matrix scaled to unit diagonal: below it float64 inverses say nothing


def theorem_3(log_ratio: Tensor, gradients: Tensor, weights: Tensor, nu: int | float) -> Tensor:
    """(P, P) Σ by its formula, exact where the points are an alphabet or quadrature nodes. All float64.

    Args:
        log_ratio: (m,) log p/q at the points.
        gradients: (m, P) of log p there; the last column, of c, is 1.
        weights: (m,) probabilities of the points under p.
        nu: noise draws an observation.
    """
    share = torch.sigmoid(log(nu) - log_ratio) * weights
    inverse = inverted(gradients.T @ (gradients * share[:, None]))
    away = inverse @ (gradients.T @ share)
    return inverse - (1 + 1 / nu) * torch.outer(away, away)


def cramer_rao(gradients: Tensor, weights: Tensor) -> Tensor:
    """(P - 1, P - 1) the bound for the parameters without c: inverse covariance of the gradients under p."""
    g = gradients[:, :-1]
    centred = g - weights @ g
    return inverted(centred.T @ (centred * weights[:, None]))


def efficiency(log_ratio: Tensor, gradients: Tensor, weights: Tensor, nu: int | float) -> float:
    """Trace of the Cramér-Rao bound over the trace of Σ, of the parameters without c: 1 is maximum likelihood."""
    variances = theorem_3(log_ratio, gradients, weights, nu).diagonal()[:-1]
    return float(cramer_rao(gradients, weights).trace() / variances.sum())


def sandwich(data: tuple[Tensor, Tensor], noise: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Covariance of the estimate itself, (P, P), and the Newton step (P,) that the objective would still take.

    Args:
        data, noise: the log-odds G = log p - log(ν q), (T,) and (νT,), and the gradients of log p, (T, P) and (νT, P).
    """
    (odds_x, g_x), (odds_y, g_y) = data, noise
    missed, taken = torch.sigmoid(-odds_x)[:, None], torch.sigmoid(odds_y)[:, None]
    bread = g_x.T @ (g_x * missed * (1 - missed)) + g_y.T @ (g_y * taken * (1 - taken))
    pushes, pulls = g_x * missed, g_y * taken
    meat = len(g_x) * torch.cov(pushes.T, correction=0) + len(g_y) * torch.cov(pulls.T, correction=0)
    inverse = inverted(bread)
    return inverse @ meat.reshape(bread.shape) @ inverse, inverse @ (pushes.sum(0) - pulls.sum(0))


def inverted(matrix: Tensor) -> Tensor:
    """The inverse of an information matrix, scaled to unit diagonal meanwhile; NaN where it is singular."""
    scale = matrix.diagonal().clamp(min=0).sqrt()
    unit = matrix / torch.outer(scale, scale)
    if not bool(torch.isfinite(unit).all()) or float(torch.linalg.eigvalsh(unit)[0]) < SINGULAR:
        return torch.full_like(matrix, torch.nan)
    return torch.linalg.inv(unit) / torch.outer(scale, scale)


def gradients_of_each(model: nn.Module, x: Tensor) -> Tensor:
    """(n, P) float64 gradient of log p at each observation, in the model's parameters and, the last column, in c."""
    parameters = {name: p.detach() for name, p in model.named_parameters() if p.requires_grad}

    def log_density(values: dict[str, Tensor], point: Tensor) -> Tensor:
        return functional_call(model, values, (point.unsqueeze(0),)).squeeze(0)

    columns = []
    if parameters:
        each = vmap(grad(log_density), in_dims=(None, 0), chunk_size=4096)(parameters, x)
        columns = [each[name].reshape(len(x), -1).double() for name in parameters]
    return torch.cat([*columns, torch.ones(len(x), 1, dtype=torch.float64, device=x.device)], 1)
