"""NT-Xent: InfoNCE over the 2N views of N items, each view's partner its true pair, all other views its negatives.

Source: Chen et al. 2020 (SimCLR), arXiv:2002.05709, equation 1.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize as unit

from infomax.errors import InputError
from infomax.objectives.info_nce import info_nce
from infomax.scores import Scores


def two_views(first: Any, second: Any, *, temperature: Any = 0.5, normalize: bool = True) -> Scores:
    """Scores of all 2N views with each other, row i of `first` true with row i of `second`; no view is its own candidate.

    For any objective with one true pair a row: `decoupled(two_views(a, b))`.

    Args:
        first, second: (N, d), the views of N items, in one order.
        temperature: positive number, or tensor to learn.
        normalize: scale the views to unit length first.

    Raises:
        InputError: views of unequal shape.

    >>> two_views(torch.eye(3), torch.eye(3)).counts()  # a view has 6 - 1 candidates
    tensor([5, 5, 5, 5, 5, 5])
    """
    shapes = [tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in (first, second)]
    if shapes[0] != shapes[1] or len(shapes[0]) != 2:
        raise InputError(f"the two views must be tensors of one shape (N, d); got {shapes[0]} and {shapes[1]}.")
    views = torch.cat([first, second])
    views = unit(views, dim=1) if normalize else views
    items = torch.arange(len(views), device=views.device)
    return Scores(
        views, views, temperature=temperature, positives=items.roll(len(first)), anchor_ids=items, candidate_ids=items
    )


def nt_xent(first: Any, second: Any, *, temperature: Any = 0.5, normalize: bool = True) -> Float[Tensor, " n"]:
    """(2N,) losses in nats, first views first: InfoNCE of `two_views`. A constant critic has log(2N - 1).

    >>> nt_xent(torch.eye(3), torch.eye(3))
    tensor([0.4327, 0.4327, 0.4327, 0.4327, 0.4327, 0.4327])
    """
    return info_nce(two_views(first, second, temperature=temperature, normalize=normalize))
