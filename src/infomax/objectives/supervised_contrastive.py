"""Supervised contrastive learning: every candidate of the anchor's label is a true pair.

    outer    -mean over true pairs p of log( e^{s_ip} / Σ_j e^{s_ij} )
    inner    -log of the mean over true pairs p of e^{s_ip} / Σ_j e^{s_ij}

Outer is at least inner (Jensen), pulls all true pairs alike, and was the better of the two in the paper; inner is content with
one true pair that is near. With one true pair a row both are InfoNCE. Source: Khosla et al. 2020, arXiv:2004.11362, equations 2
and 3.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.objectives.chance import chance_counts
from infomax.scores import Scores


def supervised_contrastive(scores: Scores, *, placement: str = "outer") -> Float[Tensor, " n"]:
    """(N,) losses in nats, of `Scores(..., positives=(anchor_labels, candidate_labels))`.

    Where anchors and candidates are the same items, give equal ids too: an item is then never its own candidate.

    Raises:
        InputError: an unknown placement, or a row without a true pair or without a negative.

    >>> import torch
    >>> z, labels, items = torch.zeros(4, 2), torch.tensor([0, 0, 1, 1]), torch.arange(4)
    >>> supervised_contrastive(Scores(z, z, positives=(labels, labels), anchor_ids=items, candidate_ids=items))
    tensor([1.0986, 1.0986, 1.0986, 1.0986])
    """
    if placement == "outer":
        return scores.cross_entropy()
    if placement != "inner":
        raise InputError(f"placement must be 'outer' or 'inner'; got {placement!r}.")
    only = scores.logsumexp(positives="only")
    true_pairs = (scores.counts() - chance_counts(scores)).to(only.dtype)
    return scores.logsumexp() - only + true_pairs.log()
