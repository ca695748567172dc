"""InfoNCE under the names that people already type."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize as unit

from infomax.errors import InputError
from infomax.objectives.info_nce import info_nce
from infomax.scores import Scores, checks
from infomax.scores.checks import one_of

REDUCTIONS = ("mean", "sum", "none")


def info_nce_loss(
    query: Any,
    positive_key: Any,
    negative_keys: Any = None,
    *,
    temperature: Any = None,
    logit_scale: Any = None,
    normalize: bool = True,
    symmetric: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """InfoNCE of embeddings, streamed: equal to torch's cross-entropy on the dense matrix, in memory O((N + M)·d).

    Args:
        query: (N, d).
        positive_key: (N, d), row i true with query i.
        negative_keys: None: the other rows' positive keys. (M, d): these and no others. (N, K, d): K for each row.
        temperature: positive number or tensor to learn; 0.07 where neither it nor `logit_scale` is given.
        logit_scale: 1/temperature instead, as open_clip passes it (already exponentiated).
        normalize: scale all vectors to unit length first.
        symmetric: the mean of both directions, as CLIP; in-batch negatives only.
        reduction: "mean", "sum" or "none" (N,).

    Raises:
        InputError: for shapes that do not fit, or options that exclude each other.

    >>> q = torch.eye(4)
    >>> info_nce_loss(q, q, temperature=0.5)
    tensor(0.3408)
    """
    one_of("reduction", reduction, REDUCTIONS)
    if symmetric and negative_keys is not None:
        raise InputError("symmetric=True compares keys with queries too and takes no negative_keys: leave one out.")
    for name, value in (("query", query), ("positive_key", positive_key)):
        if not _is_float(value, 2):
            raise InputError(f"{name} must be a floating point tensor (N, d); got {_shown(value)}.")
    if query.shape != positive_key.shape:
        raise InputError(
            f"query and positive_key must have one shape; got {tuple(query.shape)} and {tuple(positive_key.shape)}."
        )
    if negative_keys is not None and not _is_float(negative_keys, 2, 3):
        raise InputError(
            f"negative_keys must be a floating point tensor (M, d) or (N, K, d); got {_shown(negative_keys)}."
        )
    if normalize:
        query, positive_key = unit(query, dim=-1), unit(positive_key, dim=-1)
        negative_keys = None if negative_keys is None else unit(negative_keys, dim=-1)
    scores = _scores(query, positive_key, negative_keys, _temperature(temperature, logit_scale))
    losses = info_nce(scores, symmetric=symmetric, eager=reduction != "none")
    return losses if reduction == "none" else losses.mean() if reduction == "mean" else losses.sum()


def _scores(query: Tensor, positive_key: Tensor, negative_keys: Tensor | None, temperature: Any) -> Scores:
    if negative_keys is None:
        return Scores(query, positive_key, temperature=temperature)
    if negative_keys.ndim == 2:
        return Scores(query, negative_keys, temperature=temperature, positives=positive_key)
    return Scores(query, query[:0], temperature=temperature, positives=positive_key, negatives=negative_keys)


def _temperature(temperature: Any, logit_scale: Any) -> Any:
    if logit_scale is None:
        return 0.07 if temperature is None else temperature
    if temperature is not None:
        raise InputError("temperature and logit_scale are each other's inverse: give one.")
    if not isinstance(logit_scale, Tensor) and not (hasattr(logit_scale, "__float__") and logit_scale > 0):
        raise InputError(
            f"logit_scale is 1/temperature, exponentiated already, and must be positive; got {logit_scale}."
        )
    return 1 / logit_scale


def _is_float(value: Any, *dimensions: int) -> bool:
    return isinstance(value, Tensor) and value.ndim in dimensions and value.is_floating_point()


def _shown(value: Any) -> str:
    return f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__


class InfoNCELoss(torch.nn.Module):
    """`info_nce_loss` as a module; with `learn_temperature`, log(1/temperature) is its one parameter, as in CLIP."""

    def __init__(
        self,
        temperature: Any = 0.07,
        *,
        normalize: bool = True,
        symmetric: bool = False,
        reduction: str = "mean",
        learn_temperature: bool = False,
    ) -> None:
        super().__init__()
        one_of("reduction", reduction, REDUCTIONS)
        log_scale = -torch.tensor(checks.temperature(temperature, torch.float32)).log()
        self.log_scale: Tensor
        if learn_temperature:
            self.log_scale = torch.nn.Parameter(log_scale)
        else:
            self.register_buffer("log_scale", log_scale)
        self.normalize, self.symmetric, self.reduction = normalize, symmetric, reduction

    @property
    def temperature(self) -> Tensor:
        """Scalar tensor, differentiable where it is learned."""
        return (-self.log_scale).exp()

    def forward(self, query: Any, positive_key: Any, negative_keys: Any = None) -> Tensor:
        return info_nce_loss(
            query,
            positive_key,
            negative_keys,
            temperature=self.temperature,
            normalize=self.normalize,
            symmetric=self.symmetric,
            reduction=self.reduction,
        )

    def extra_repr(self) -> str:
        temperature = float(self.temperature.detach())
        return f"temperature={temperature:g}, symmetric={self.symmetric}, reduction={self.reduction!r}"
