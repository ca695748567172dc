"""Means over the chance pairs: the live cells of a row that are not its true pair, draws from p(x) p(y)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.scores import Scores


def log_mean_exp(scores: Scores) -> Float[Tensor, " n"]:
    """(N,) log of the mean of exp(s) over each row's chance pairs.

    >>> log_mean_exp(Scores(torch.eye(3), torch.eye(3)))
    tensor([0., 0., 0.])
    """
    sums = scores.logsumexp(positives="out")
    return sums - chance_counts(scores).to(sums.dtype).log()


def mean_of(fn: Callable[[Tensor], Tensor], scores: Scores) -> Float[Tensor, " n"]:
    """(N,) mean of the pointwise `fn(s)` over each row's chance pairs."""
    return scores.total(fn) / chance_counts(scores)


def chance_counts(scores: Scores) -> Tensor:
    """(N,) chance pairs of each row; a row without any is refused."""
    counts = scores.counts() - scores.true_pairs.positive_counts()
    lacking = (counts < 1).nonzero()
    if len(lacking):
        raise InputError(
            f"{len(lacking)} anchors have no chance pair (first: {int(lacking[0])}): use more pairs, or fewer equal ids."
        )
    return counts


def per_anchor(value: Any, name: str, like: Tensor) -> Tensor:
    """A number, or a floating point vector with one entry an anchor, as a vector like `like` (N,)."""
    try:
        given = value if isinstance(value, Tensor) else torch.as_tensor(value, dtype=like.dtype, device=like.device)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} must be a number or a floating point vector, not {type(value).__name__}.") from error
    if given.shape not in ((), like.shape) or not given.is_floating_point():
        raise InputError(
            f"{name} must be a number or a floating point vector of shape {tuple(like.shape)}, one entry an anchor; "
            f"got {given.dtype} of shape {tuple(given.shape)}."
        )
    return given.to(like.dtype).expand(like.shape)
