"""The sigmoid loss of SigLIP: each cell a question of its own, true pair or not, so no row needs a normaliser.

    loss_i = -log σ(s_i,pos + b) - Σ_{j negative} log σ(-s_ij - b)

The population optimum is s + b = PMI - log(negatives a row), as of word2vec's negative sampling. Source: Zhai et al. 2023,
arXiv:2303.15343, algorithm 1.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from infomax.objectives.chance import per_anchor
from infomax.scores import Scores


def sigmoid(scores: Scores, bias: Any = 0.0) -> Float[Tensor, " n"]:
    """(N,) losses in nats, summed over each row's cells; with labels each true pair counts.

    Args:
        scores: any positives. SigLIP starts at temperature 0.1.
        bias: a number or a tensor to learn; SigLIP starts at -10, -log(negatives a row) makes no pair look likely at first.

    >>> import torch
    >>> sigmoid(Scores(torch.zeros(4, 2), torch.zeros(4, 2)))  # a constant critic without bias: 4 log 2
    tensor([2.7726, 2.7726, 2.7726, 2.7726])
    """
    shifted = scores.with_row_offset(per_anchor(bias, "bias", scores.positive().detach()))
    return shifted.total(_true, positives="only") + shifted.total(_chance)


def _true(s: Tensor) -> Tensor:
    return -logsigmoid(s)


def _chance(s: Tensor) -> Tensor:
    return -logsigmoid(-s)
