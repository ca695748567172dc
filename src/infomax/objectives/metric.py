"""Three losses of metric learning: Hadsell's contrastive margin, Sohn's N-pair, Wang's angular.

    margin_contrastive    D_pos²/2 + mean over negatives of max(0, m - D)²/2,  D the Euclidean distance
    n_pair                log(1 + Σ e^{<a, n> - <a, p>}) + λ(|a|² + |p|²)/4: InfoNCE of raw products, norms kept small
    angular               log(1 + Σ e^{4 tan²α <a + p, n> - 2(1 + tan²α) <a, p>}): bounds the angle at the negative by α

Sources: Hadsell et al. 2006, CVPR, equation 4; Sohn 2016, NeurIPS, section 3; Wang et al. 2017, arXiv:1708.01682, section 3.
"""

from __future__ import annotations

from math import isfinite, radians, tan
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from infomax.critics import distance
from infomax.errors import InputError
from infomax.objectives.chance import mean_of
from infomax.objectives.info_nce import info_nce
from infomax.scores import Scores


def margin_contrastive(anchors: Any, candidates: Any, margin: float = 1.0, **pairs: Any) -> Float[Tensor, " n"]:
    """(N,) losses in squared distance; `pairs` as of `Scores`: positives as columns or labels, ids.

    The paper sums over single pairs; here a row's negatives count as their mean, and so do its true pairs where labels give
    several. A negative that lies on its anchor has no direction to leave by: its gradient is 0.

    Raises:
        InputError: a margin that is not positive, or a row without a negative.

    >>> margin_contrastive(torch.eye(2), torch.eye(2), 2.0)  # (2 - sqrt 2)² / 2
    tensor([0.1716, 0.1716])
    """
    if not (isfinite(margin) and margin > 0):
        raise InputError(f"margin must be positive and finite; got {margin}.")
    scores = distance(anchors, candidates, **pairs)  # s = -D²

    def hinge(s: Tensor) -> Tensor:
        apart = s < -torch.finfo(s.dtype).tiny  # rounding may leave -D² a little above 0, and sqrt has no slope there
        d = torch.where(apart, -s, 1.0).sqrt()
        return (margin - torch.where(apart, d, 0.0)).relu().square() / 2

    return mean_of(hinge, scores) - scores.positive() / 2


def n_pair(anchors: Any, positives: Any, *, regularisation: float = 0.002) -> Float[Tensor, " n"]:
    """(N,) losses in nats plus a quarter of `regularisation` times the squared norms; other rows' positives are the negatives.

    >>> import torch
    >>> n_pair(torch.zeros(4, 2), torch.zeros(4, 2))  # a constant critic: log 4
    tensor([1.3863, 1.3863, 1.3863, 1.3863])
    """
    if not (isfinite(regularisation) and regularisation >= 0):
        raise InputError(f"regularisation must be at least 0 and finite; got {regularisation}.")
    _of_one_shape(anchors, positives)
    losses = info_nce(Scores(anchors, positives))
    return losses + regularisation / 4 * (anchors.square().sum(1) + positives.square().sum(1))


def angular(anchors: Any, positives: Any, degrees: float = 45.0) -> Float[Tensor, " n"]:
    """(N,) losses in nats, of unit vectors (N, d); other rows' positives are the negatives. The paper takes 36 to 55 degrees.

    >>> import torch
    >>> angular(torch.zeros(4, 2), torch.zeros(4, 2))  # a constant critic: log 4
    tensor([1.3863, 1.3863, 1.3863, 1.3863])
    """
    if not 0 < degrees < 90:
        raise InputError(f"degrees must lie between 0 and 90; got {degrees}.")
    _of_one_shape(anchors, positives)
    square = tan(radians(degrees)) ** 2
    offset = -2 * (1 + square) * (anchors * positives).sum(1)
    scores = Scores(anchors + positives, positives, temperature=1 / (4 * square), row_offset=offset)
    return softplus(scores.logsumexp(positives="out"))


def _of_one_shape(anchors: Any, positives: Any) -> None:
    shapes = [tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in (anchors, positives)]
    if shapes[0] != shapes[1] or len(shapes[0]) != 2:
        raise InputError(f"anchors and positives must be tensors of one shape (N, d); got {shapes[0]} and {shapes[1]}.")
