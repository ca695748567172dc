"""The interpolated objective: a baseline between InfoNCE's, low variance, and TUBA's, low bias, in nats.

    a_i(y') = alpha · mean_j e^{s(x_i, y_j)} + (1 - alpha) · e^log_baseline_i
    loss = E[m_i / a_i] - 1 - E[log e^{s_i,pos} / a_i]        >= -I(X; Y)

The baseline may look at candidates that are independent of the one being judged. So the mean runs over n - 1 candidates
both times: over the chance pairs where a chance pair is judged, and over the true pair with all chance pairs but one
where the true pair is; left out is the true candidate of the next anchor.
Source: Poole et al. 2019, arXiv:1905.06922, section 2.4, equation 13.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from math import log
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from infomax.errors import InputError
from infomax.objectives.chance import log_mean_exp, per_anchor
from infomax.scores import Scores
from infomax.scores.cells import Matches


def interpolated(scores: Scores, log_baseline: Any = 0.0, *, alpha: float = 0.5) -> Float[Tensor, " n"]:
    """(N,) losses.

    Args:
        log_baseline: log a(x): a number, or (N,), of the anchors alone; differentiable.
        alpha: weight of the candidates' mean, 0 to 1: 0 is TUBA, 1 InfoNCE over n - 1 candidates.

    Raises:
        InputError: masks, labels, or positives and negatives of their own row.

    >>> interpolated(Scores(torch.eye(3), torch.eye(3)), alpha=1.0)
    tensor([-0.3799, -0.3799, -0.3799])
    """
    if not 0 <= alpha <= 1:
        raise InputError(f"alpha must lie between 0 (TUBA) and 1 (InfoNCE); got {alpha}.")
    positive, chance = scores.positive(), log_mean_exp(scores)
    baseline = per_anchor(log_baseline, "log_baseline", positive)
    of_true, of_chance = (mixed(mean, baseline, alpha) for mean in (log_mean_with_true(scores), chance))
    # at alpha = 1 the baseline is the mean itself, which may be 0
    excess = torch.zeros_like(chance) if alpha == 1 else (chance - of_chance).exp() - 1
    return excess - (positive - of_true)


def mixed(log_mean: Tensor, log_baseline: Tensor, alpha: float) -> Tensor:
    """(N,) log of alpha · mean + (1 - alpha) · baseline."""
    if alpha in (0.0, 1.0):
        return log_mean if alpha else log_baseline
    return torch.logaddexp(log_mean + log(alpha), log_baseline + log(1 - alpha))


def log_mean_with_true(scores: Scores) -> Tensor:
    """(N,) log of the mean of exp(s) over the true pair and the chance pairs, but the next anchor's true candidate."""
    pairs = scores.true_pairs
    if pairs.columns is None or pairs.ids is not None or scores.negatives is not None:
        raise InputError(
            "the interpolated objective compares each anchor with one true column and all others: "
            "leave out labels, ids, and positives and negatives of their own row."
        )
    columns = torch.arange(pairs.width, device=pairs.device)
    kept = copy(scores)
    kept.true_pairs = replace(pairs, ids=Matches(pairs.columns.roll(-1), columns))
    sums = kept.logsumexp()
    return sums - log(pairs.width - 1)
