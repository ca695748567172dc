"""Decoupled contrastive learning (DCL): InfoNCE without the true pair in the denominator.

    loss_i = -w_i s_i,pos + log Σ_{j negative} e^{s_ij}

It keeps the gradient of well-told pairs alive in small batches. Its value is no bound on information and may fall below 0.
Source: Yeh et al. 2022, arXiv:2110.06848, section 3.
"""

from __future__ import annotations

from math import isfinite

from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.scores import Scores


def decoupled(scores: Scores, *, sigma: float | None = None) -> Float[Tensor, " n"]:
    """(N,) losses in nats; with `sigma`, hard positives weigh more: w = 2 - e^{c/sigma} / mean over the batch of e^{c/sigma}.

    c is the true pair's score times the temperature: the cosine, for unit vectors. The paper takes sigma = 0.5. The weights
    compare the rows of one batch with each other. With labels, `scores.positive()` is the mean over a row's true pairs.

    Raises:
        InputError: sigma not positive, or a row without a negative.

    >>> import torch
    >>> decoupled(Scores(torch.zeros(4, 2), torch.zeros(4, 2)))  # a constant critic: log of its 3 negatives
    tensor([1.0986, 1.0986, 1.0986, 1.0986])
    """
    negatives, positive = scores.logsumexp(positives="out"), scores.positive()
    if sigma is None:
        return negatives - positive
    if not (isfinite(sigma) and sigma > 0):
        raise InputError(f"sigma must be positive and finite, or None for equal weights; got {sigma}.")
    weights = 2 - len(positive) * (positive * scores.temperature / sigma).softmax(0)
    return negatives - weights * positive
