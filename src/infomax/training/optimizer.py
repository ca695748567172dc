"""Adam whose step costs what the batch touched.

A sparse gradient (an embedding table's) holds only the rows of the batch. Adam would move all other rows too, by what is left of
their momentum: with β = (0.9, 0.999) a row moves for ten steps and more after its gradient, and most of its way then. Lazy Adam
reads and writes the rows of the batch alone. A row that was last touched k steps ago is moved at once as far as Adam would move
it until k steps from now, if no gradient came: by

    S(k) = Σ_{j<k} (β1/√β2)^j

steps. Its moments fade by βᵏ, as Adam's do. So a row that is touched in every step is stepped exactly as by AdamW; one that comes
back every k steps stands where AdamW would have it whenever it is read, while rates are constant. One that comes back sooner
than before has moved too far, at most twice as far, and one that comes back later not far enough. `torch.optim.SparseAdam` drops
the rest of the way: rare rows lag behind, by up to a factor of ten. It has no weight decay and takes no dense gradients, which
are stepped here by torch's own AdamW. Kingma & Ba, 2015; Loshchilov & Hutter, 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.optim.adamw import adamw

from infomax.errors import InputError

_BLOCK = 2**18  # numbers stepped at a time: rows, moments and gradient of a block stay in the cache


class LazyAdam(torch.optim.Optimizer):
    """AdamW for dense gradients, its lazy row-wise form for sparse ones; parameter groups as in torch.

    Where every row is touched at every step, both forms give the same parameters. A row of a sparse parameter makes up for the
    weight decay that it missed when it is touched.

    Raises:
        InputError: a learning rate, epsilon or weight decay below 0, betas outside [0, 1), or β1² not below β2, with which what
            is left of a momentum would never come to an end.
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        for name, value in (("lr", lr), ("eps", eps), ("weight_decay", weight_decay)):
            if not value >= 0:
                raise InputError(f"{name} must be at least 0, got {value}.")
        if not all(0 <= beta < 1 for beta in betas):
            raise InputError(f"betas must lie in [0, 1), got {betas}.")
        if betas[0] ** 2 >= betas[1] and betas[0] > 0:
            raise InputError(f"The first beta, squared, must be below the second, got {betas}; (0.9, 0.999) is usual.")
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step for every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            given = [p for p in group["params"] if p.grad is not None]
            for p in given:
                if p.grad.is_sparse:
                    self._step_rows(p, *_distinct_rows(p.grad), group)
            self._step_dense([p for p in given if not p.grad.is_sparse], group)
        return loss

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As torch's, which would round the steps of rows to the precision of their parameter."""
        super().load_state_dict(state_dict)
        given = [number for group in state_dict["param_groups"] for number in group["params"]]
        params = [p for group in self.param_groups for p in group["params"]]
        for number, p in zip(given, params, strict=True):
            if "last" in (saved := state_dict["state"].get(number, {})):
                self.state[p]["last"] = saved["last"].to(p.device, torch.int32, copy=True)

    def _step_dense(self, params: list[torch.Tensor], group: dict[str, Any]) -> None:
        if not params:
            return
        states = [self._state(p, rows=False) for p in params]
        adamw(
            params,
            [p.grad for p in params if p.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )

    def _step_rows(self, p: torch.Tensor, rows: torch.Tensor, values: torch.Tensor, group: dict[str, Any]) -> None:
        state = self._state(p, rows=True)
        state["step"] += 1
        at_once = max(1, _BLOCK // max(1, values[:1].numel()))
        for start in range(0, len(rows), at_once):
            _step_block(p, state, rows[start : start + at_once], values[start : start + at_once], group)

    def _state(self, p: torch.Tensor, *, rows: bool) -> dict[str, torch.Tensor]:
        """The moments of `p`, its number of steps (on the CPU, as torch has it) and, of `rows`, the last step of each."""
        state: dict[str, torch.Tensor] = self.state[p]
        if not state:
            state["step"] = torch.zeros((), dtype=torch.float32)
            state["exp_avg"] = torch.zeros_like(p)
            state["exp_avg_sq"] = torch.zeros_like(p)
            if rows:
                state["last"] = torch.zeros(p.shape[0], dtype=torch.int32, device=p.device)
        elif ("last" in state) != rows:
            raise InputError(
                "A parameter had sparse gradients in one step and dense ones in another; keep to one form."
            )
        return state


def _distinct_rows(grad: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Row numbers (u,), increasing, and their gradients: autograd forgets that a sparse gradient was coalesced."""
    if grad.sparse_dim() > 1:
        raise InputError(
            "LazyAdam takes dense gradients, and sparse ones of whole rows (sparse_dim 1), as an embedding gives; got a sparse "
            f"gradient with sparse_dim {grad.sparse_dim()}."
        )
    rows = grad._indices()[0]
    if bool((rows[1:] > rows[:-1]).all()):
        return rows, grad._values()
    grad = grad.coalesce()
    return grad.indices()[0], grad.values()


def _step_block(
    p: torch.Tensor, state: dict[str, torch.Tensor], rows: torch.Tensor, grad: torch.Tensor, group: dict[str, Any]
) -> None:
    (beta1, beta2), step = group["betas"], int(state["step"])
    gap = (step - state["last"].index_select(0, rows)).double().view(-1, *[1] * (grad.dim() - 1))
    mean = state["exp_avg"].index_select(0, rows).mul_((beta1**gap).to(grad)).add_(grad, alpha=1 - beta1)
    square = state["exp_avg_sq"].index_select(0, rows).mul_((beta2**gap).to(grad))
    square.addcmul_(grad, grad, value=1 - beta2)
    state["last"].index_fill_(0, rows, step)
    state["exp_avg"].index_copy_(0, rows, mean)
    state["exp_avg_sq"].index_copy_(0, rows, square)
    values = p.index_select(0, rows)
    if group["weight_decay"]:
        values.mul_(((1 - group["lr"] * group["weight_decay"]) ** gap).to(grad))
    fading = beta1 / beta2**0.5 if beta1 else 0.0
    steps = (1 - fading**gap) / (1 - fading)
    mean.mul_((group["lr"] / (1 - beta1**step) * steps).to(grad))
    values.addcdiv_(mean, square.sqrt_().div_((1 - beta2**step) ** 0.5).add_(group["eps"]), value=-1)
    p.index_copy_(0, rows, values)
