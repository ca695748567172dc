"""Triplet loss: the true pair should beat a negative by a margin.

    loss = max(0, η - s_i,pos + s_ij)     over all negatives of the row, its hardest one, or its semi-hard ones

Semi-hard negatives score below the true pair, though within the margin: the hardest of a batch are often mislabelled, and lead
to collapse early in training. For the distances of the paper take `critics.distance` as the scores; for cosines temperature 1.
Sources: Weinberger & Saul 2009, JMLR 10; Schroff et al. 2015, arXiv:1503.03832, section 3.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.objectives.chance import chance_counts, mean_of
from infomax.scores import Scores
from infomax.scores.checks import is_finite


def triplet(scores: Scores, margin: Any, *, negatives: str = "all") -> Float[Tensor, " n"]:
    """(N,) losses in units of the scores.

    Args:
        scores: any positives; with labels a row's true score is the mean over its true pairs.
        margin: η, at least 0.
        negatives: "all", their mean; "hardest", the best-scored; "semi-hard", their mean, 0 in rows that have none.

    Raises:
        InputError: a margin below 0, an unknown kind, or a row without a negative.

    >>> import torch
    >>> triplet(Scores(torch.zeros(4, 2), torch.zeros(4, 2)), 0.2)  # a constant critic: the margin
    tensor([0.2000, 0.2000, 0.2000, 0.2000])
    """
    if not (is_finite(margin) and margin >= 0):
        raise InputError(f"margin must be at least 0 and finite; got {margin}.")
    excess = scores.with_row_offset(margin - scores.positive())
    if negatives == "all":
        return mean_of(torch.relu, excess)
    if negatives == "hardest":
        chance_counts(scores)  # refuses a row without any
        return excess.hardest()[0].squeeze(1).relu()
    if negatives == "semi-hard":
        return _mean_of_semi_hard(excess, margin)
    raise InputError(f"negatives must be 'all', 'hardest' or 'semi-hard'; got {negatives!r}.")


def _mean_of_semi_hard(excess: Scores, margin: float) -> Tensor:
    def chosen(x: Tensor) -> Tensor:
        return (x > 0) & (x < margin)

    chance_counts(excess)
    with torch.no_grad():
        count: Any = excess.total(lambda x: chosen(x).to(x.dtype))
    return excess.total(lambda x: torch.where(chosen(x), x, 0.0)) / count.clamp(min=1)
