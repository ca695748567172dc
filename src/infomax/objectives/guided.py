"""Masks by a guide: candidates that another model holds for true pairs are left out.

With g the guide's scores, g_i,pos that of the true pair, and η a margin, candidate j of anchor i is left out where

    g_ij > g_i,pos - η          absolute margin
    g_ij > g_i,pos - η·|g_i,pos|    relative margin

and is not the true pair itself. A row of which the guide leaves nothing has an InfoNCE loss of 0: its pair is one that the
guide does not believe. Any objective may be asked of what is left; no loss on it is a bound on information, even where
nothing was left out, for the candidates are then chosen. Source: Solatorio 2024 (GISTEmbed), arXiv:2402.16829, equations 2
to 5; the margins are those of sentence-transformers' `GISTEmbedLoss`.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import normalize as unit

from infomax.errors import InputError
from infomax.objectives.info_nce import info_nce
from infomax.scores import Scores


def guided(scores: Scores, guide: Scores, *, margin: float = 0.0, relative: bool = False) -> Scores:
    """The scores without the candidates that the guide scores higher than the true pair, less a margin.

    Costs one product of the guide's for each walk over tiles, and stores no mask.

    Args:
        scores: any positives; with labels the limit is the mean over a row's true pairs.
        guide: of the same pairs, by another model: same rows, columns and positives; a stored matrix (`from_dense`) will do.
            Its gradient is not taken. Scores within rounding of the limit stay, as equal ones do.
        margin: η in units of the guide's scores (cosines, at temperature 1), or with `relative` a share of the true pair's.

    Raises:
        InputError: scores of other pairs, negatives of their own row, a guide twice, a margin that is not finite.

    >>> a, g = torch.zeros(3, 2), torch.tensor([[1., 2., 0.], [0., 1., 0.], [0., 0., 1.]])
    >>> guided(Scores(a, a), Scores.from_dense(g)).counts()  # candidate 1 of anchor 0 is left out
    tensor([2, 3, 3])
    """
    if not isfinite(margin):
        raise InputError(f"margin must be finite; got {margin}.")
    _same_pairs(scores, guide)
    with torch.no_grad():
        positive = guide.positive()
        limit = positive - margin * (positive.abs() if relative else 1)
    return scores.guided(guide, limit)


def _same_pairs(scores: Scores, guide: Scores) -> None:
    if scores.negatives is not None or guide.negatives is not None:
        raise InputError("a guide judges shared candidates: put negatives of their own row among the candidates.")
    if scores.true_pairs.hidden is not None:
        raise InputError("these scores have a guide already: guide the scores that it was given.")
    sizes = [(len(s.anchors), len(s.candidates)) for s in (scores, guide)]
    if sizes[0] != sizes[1] or not scores.true_pairs.same_as(guide.true_pairs):
        raise InputError(
            f"the guide must score the same pairs, with the same positives; got {sizes[0]} and {sizes[1]} anchors and candidates."
        )


def gist(
    anchors: Any,
    candidates: Any,
    guide_anchors: Any,
    guide_candidates: Any,
    *,
    negatives: Any = None,
    guide_negatives: Any = None,
    temperature: Any = 0.01,
    margin: float = 0.0,
    relative: bool = False,
    contrast_anchors: bool = True,
    contrast_positives: bool = True,
) -> Float[Tensor, " n"]:
    """(N,) GISTEmbed losses in nats of cosines, equal to sentence-transformers' `GISTEmbedLoss` before its mean.

    Beside the other rows' candidates, a row is told from the other anchors, and its candidate from the other candidates.

    Args:
        anchors, candidates: (N, d), row i true with row i.
        guide_anchors, guide_candidates: (N, e), the guide's vectors of the same items.
        negatives, guide_negatives: (K, d) and (K, e), further candidates of all rows.
        margin, relative: as in `guided`.
        contrast_anchors, contrast_positives: whether anchors are among the candidates of anchors, candidates among those of
            candidates. The latter doubles the width of the products.

    >>> x = torch.eye(3)
    >>> gist(x, x, x, x, temperature=1.0, contrast_anchors=False, contrast_positives=False)
    tensor([0.5514, 0.5514, 0.5514])
    """
    blocks = contrast_anchors, contrast_positives
    scores = _blocks(anchors, candidates, negatives, temperature, *blocks)
    guide = _blocks(guide_anchors, guide_candidates, guide_negatives, 1.0, *blocks)
    return info_nce(guided(scores, guide, margin=margin, relative=relative))


def _blocks(a: Any, c: Any, negatives: Any, temperature: Any, anchors: bool, positives: bool) -> Scores:
    """Candidates, then negatives, anchors, candidates against the row's own candidate: the last in a space of their own."""
    shapes = [tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in (a, c)]
    if shapes[0] != shapes[1] or len(shapes[0]) != 2:
        raise InputError(
            f"anchors and candidates must be tensors of one shape (N, d); got {shapes[0]} and {shapes[1]}."
        )
    a, c = unit(a, dim=1), unit(c, dim=1)
    items, more = torch.arange(len(a), device=a.device), 0 if negatives is None else len(negatives)
    blocks, ids = [c], [items]
    if more:
        blocks, ids = [c, unit(negatives, dim=1)], [items, torch.arange(len(a), len(a) + more, device=a.device)]
    if anchors:
        blocks, ids = [*blocks, a], [*ids, items]
    columns, rows = torch.cat(blocks), a
    if positives:
        empty = torch.zeros_like(columns)
        columns = torch.cat([torch.cat([columns, empty], 1), torch.cat([torch.zeros_like(c), c], 1)])
        rows, ids = torch.cat([a, c], 1), [*ids, items]
    return Scores(rows, columns, temperature=temperature, anchor_ids=items, candidate_ids=torch.cat(ids))
