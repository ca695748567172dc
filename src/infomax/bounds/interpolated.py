"""The interpolated bound on held-out pairs: between TUBA (low bias) and InfoNCE (low variance).

Source: Poole et al. 2019, arXiv:1905.06922, section 2.4.
"""

from __future__ import annotations

from math import inf, log
from typing import Any

import torch
from torch import Tensor

from infomax import objectives
from infomax.bounds.bound import Bound
from infomax.bounds.reading import INDEPENDENT, earned, exp_taken, reading
from infomax.objectives.chance import log_mean_exp, per_anchor
from infomax.objectives.interpolated import log_mean_with_true, mixed
from infomax.scores import Scores


@torch.no_grad()
def interpolated(scores: Scores, log_baseline: Any = 0.0, *, alpha: float = 0.5, groups: Any = None) -> Bound:
    """Lower for every critic and baseline; ceiling log((n - 1) / alpha), and 1 more where alpha < 1.

    Args:
        scores: of held-out pairs, by a critic that has not seen them.
        log_baseline: log a(x), a number or (N,), of the anchors alone, not fitted to these pairs.
        alpha: weight of the candidates' mean in the baseline: 0 is TUBA, 1 InfoNCE over n - 1 candidates.
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups.

    >>> bound = interpolated(Scores(20 * torch.eye(8), torch.eye(8)), alpha=1.0)
    >>> round(bound.value, 4), round(bound.ceiling, 4), bound.side
    (1.9459, 1.9459, 'lower')
    """
    values = -objectives.interpolated(scores, log_baseline, alpha=alpha)
    ceiling = log((scores.shape[1] - 1) / alpha) + (alpha < 1) if alpha else inf
    taken = exp_taken(scores, _slope(scores, per_anchor(log_baseline, "log_baseline", values), alpha))
    side = earned(scores, "lower", f"a lower bound in expectation, {INDEPENDENT}, nor the baseline")
    return reading(values, taken, ceiling, side, groups)


def _slope(scores: Scores, baseline: Tensor, alpha: float) -> Tensor:
    """(N,) log of what a candidate's exp(s) takes from its row, to first order in 1/n.

    With M, m the means with and without the true pair, b the baseline and A = alpha·M + (1 - alpha)·b, a = the same of m:
    d/dM log A + d/dm m/a = alpha / A + (1 - alpha)·b / a².
    """
    of_true, of_chance = (mixed(mean, baseline, alpha) for mean in (log_mean_with_true(scores), log_mean_exp(scores)))
    terms = []
    if alpha > 0:
        terms.append(log(alpha) - of_true)
    if alpha < 1:
        terms.append(log(1 - alpha) + baseline - 2 * of_chance)
    return torch.logsumexp(torch.stack(terms), 0)
