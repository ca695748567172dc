"""Soft targets: a row's candidates are right to a degree, T_ij of them, as a teacher or graded judgements say.

    loss_i = Σ_j T_ij log Σ_j e^{s_ij} - Σ_j T_ij s_ij        rows of T sum to 1, but for their rounding

The second term is one score, that of the anchor with the mean Σ_j T_ij candidate_j, so only T itself is a matrix. The least
value is the entropy of the row's target, not 0. Source: Hinton et al. 2015, arXiv:1503.02531, section 2.
"""

from __future__ import annotations

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.scores import Scores
from infomax.scores.checks import no_autocast


def soft_targets(anchors: Any, candidates: Any, targets: Any, *, temperature: Any = 1.0) -> Float[Tensor, " n"]:
    """(N,) losses in nats, equal to torch's `cross_entropy` with class probabilities on the dense matrix.

    Args:
        anchors, candidates: (N, d) and (M, d).
        targets: (N, M), of their dtype or float32; no entry below 0, rows that sum to 1.
        temperature: of the scores; a teacher's own has been applied to `targets` before.

    Raises:
        InputError: targets of another shape, or that are no distributions.

    >>> soft_targets(torch.zeros(2, 3), torch.zeros(4, 3), torch.full((2, 4), 0.25))  # a constant critic: log 4
    tensor([1.3863, 1.3863])
    """
    columns = torch.zeros(len(anchors), dtype=torch.int64, device=anchors.device)  # any: the sum is over all
    everything = Scores(anchors, candidates, temperature=temperature, positives=columns)
    if not isinstance(targets, Tensor) or targets.shape != everything.shape or not targets.is_floating_point():
        raise InputError(f"targets must be a floating point tensor of shape {everything.shape}, a row an anchor.")
    mass = targets.detach().sum(1)
    if not bool((targets >= 0).all()) or not bool(((mass - 1).abs() < 1e-3).all()):
        raise InputError(
            "targets must be distributions, no entry below 0 and rows that sum to 1: take a softmax over rows."
        )
    with no_autocast(candidates.device):
        means = targets.to(candidates.dtype) @ candidates
    wanted = Scores(anchors, candidates, temperature=temperature, positives=means).positive()
    return targets.sum(1).to(wanted.dtype) * everything.logsumexp() - wanted
