"""Label smoothing: InfoNCE that wants the true pair with probability 1 - ε + ε/C, and every other candidate with ε/C.

    loss_i = log Σ_j e^{s_ij} - (1 - ε) s_i,pos - ε · mean_j s_ij

ε/C of the target on each of a row's C candidates keeps false negatives from pushing scores apart without end. No bound on
information: the target is not the true pair alone. Source: Szegedy et al. 2016, arXiv:1512.00567, section 7.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.scores import Scores


def smoothed(scores: Scores, epsilon: float = 0.1) -> Float[Tensor, " n"]:
    """(N,) losses in nats, equal to torch's `cross_entropy(..., label_smoothing=epsilon)` on the dense matrix.

    >>> import torch
    >>> smoothed(Scores(torch.zeros(4, 2), torch.zeros(4, 2)))
    tensor([1.3863, 1.3863, 1.3863, 1.3863])
    """
    if not 0 <= epsilon < 1:
        raise InputError(f"epsilon must lie from 0 to below 1; got {epsilon}.")
    losses = scores.cross_entropy()
    mean = scores.total(lambda s: s, positives="in") / scores.counts()
    return losses + epsilon * (scores.positive() - mean)
