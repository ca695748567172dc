"""InfoNCE: how well the true pair is told from the chance pairs of its row, in nats.

    loss_i = -log( e^{s_i,pos} / Σ_j e^{s_ij} )

Its population optimum is s = PMI + c(anchor). For every s, log(candidates) - loss is a lower bound on the mutual
information, in expectation, that never exceeds log(candidates). Source: van den Oord et al. 2018, arXiv:1807.03748,
equations 4 and 5; the symmetric form is CLIP's, Radford et al. 2021, arXiv:2103.00020, figure 3.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.scores import Scores


def info_nce(scores: Scores, *, symmetric: bool = False, eager: bool = True) -> Float[Tensor, " n"]:
    """(N,) losses in nats; `symmetric` averages the losses over the row and over the column of the true pair.

    Full speed needs all rows to weigh the same (`.mean()`, `.sum()`); otherwise pass `eager=False`.

    >>> import torch
    >>> info_nce(Scores(torch.zeros(4, 2), torch.zeros(4, 2)))  # a constant critic: log 4
    tensor([1.3863, 1.3863, 1.3863, 1.3863])
    """
    if not symmetric:
        return scores.cross_entropy(eager=eager)
    over_candidates, over_anchors = scores.cross_entropy("both", eager=eager)
    if over_candidates.shape != over_anchors.shape:
        raise InputError(
            f"symmetric=True averages a loss an anchor with a loss a candidate, so labels need as many of each; "
            f"got {len(over_candidates)} and {len(over_anchors)}: use scores.cross_entropy('both') and weigh them yourself."
        )
    return (over_candidates + over_anchors) / 2
