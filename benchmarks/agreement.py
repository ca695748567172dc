"""How far a rival's value and gradients are from the definition in float64."""

from __future__ import annotations

import torch
from torch import Tensor

from benchmarks.objectives import OBJECTIVES
from benchmarks.rival import Rival


class Agreement:
    """Judges rivals on one objective and one draw."""

    def __init__(self, objective: str, q: Tensor, k: Tensor, temperature: float) -> None:
        self.objective, self.q, self.k, self.temperature = objective, q, k, temperature
        exact_q, exact_k = (x.detach().double().requires_grad_() for x in (q, k))
        value = OBJECTIVES[objective](exact_q, exact_k, temperature)
        self.gradients = torch.autograd.grad(value, (exact_q, exact_k))
        self.value = float(value.detach())

    def of(self, rival: Rival) -> tuple[float, float]:
        """Relative error of the value; largest error of the gradients over their largest entry."""
        value = rival.step(self.objective, self.q, self.k, self.temperature)
        assert value is not None
        worst = 0.0
        for x, exact in zip((self.q, self.k), self.gradients, strict=True):
            assert x.grad is not None
            if rival.normalizes:
                exact = _tangent(exact, x.detach().double())
            worst = max(worst, float((x.grad - exact).abs().max() / exact.abs().max()))
        return abs(float(value.detach()) - self.value) / abs(self.value), worst


def _tangent(gradient: Tensor, unit: Tensor) -> Tensor:
    """What is left of a gradient behind a normalisation of its (already unit) rows."""
    return gradient - (gradient * unit).sum(1, keepdim=True) * unit
