"""Matryoshka: any objective on several prefixes of the embeddings at once, so that one may cut them short afterwards.

    loss = Σ_k w_k · objective(scores of the first k dimensions)

Source: Kusupati et al. 2022, arXiv:2205.13147, equation 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize as unit

from infomax.errors import InputError
from infomax.scores import Scores
from infomax.scores.checks import is_whole


def matryoshka(
    objective: Callable[[Scores], Tensor],
    anchors: Any,
    candidates: Any,
    widths: Sequence[Any],
    *,
    weights: Sequence[float] | None = None,
    normalize: bool = True,
    **pairs: Any,
) -> Float[Tensor, " n"]:
    """(N,) weighted sum of the objective's losses over prefixes.

    Args:
        objective: Scores -> (N,).
        anchors, candidates: (N, d) and (M, d).
        widths: how many leading dimensions, each from 1 to d.
        weights: one a width; None for 1 each.
        normalize: scale every prefix to unit length.
        pairs: further arguments of `Scores`; positives and negatives that are vectors are cut alike.

    Raises:
        InputError: widths out of range, or weights that do not go with them.

    >>> import torch
    >>> from infomax.objectives import info_nce
    >>> matryoshka(info_nce, torch.zeros(4, 8), torch.zeros(4, 8), (2, 8))  # a constant critic: twice log 4
    tensor([2.7726, 2.7726, 2.7726, 2.7726])
    """
    d = anchors.shape[-1]
    if not len(widths) or not all(is_whole(k) and 1 <= k <= d for k in widths):
        raise InputError(
            f"widths must be one or more whole numbers from 1 to {d}, the width of the embeddings; got {widths}."
        )
    if weights is not None and len(weights) != len(widths):
        raise InputError(f"weights must have one entry a width, {len(widths)}; got {len(weights)}.")

    def prefix(x: Any, k: int) -> Any:
        if not (isinstance(x, Tensor) and x.ndim > 1):
            return x
        return unit(x[..., :k], dim=-1) if normalize else x[..., :k]

    def losses(k: int) -> Tensor:
        cut = {name: prefix(x, k) if name in ("positives", "negatives") else x for name, x in pairs.items()}
        return objective(Scores(prefix(anchors, k), prefix(candidates, k), **cut))

    terms = [w * losses(k) for k, w in zip(widths, weights or [1.0] * len(widths), strict=True)]
    return sum(terms[1:], start=terms[0])
