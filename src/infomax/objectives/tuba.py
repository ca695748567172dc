"""TUBA and NWJ: Donsker-Varadhan with its logarithm replaced by a tangent, so that chance pairs enter linearly, in nats.

    log m <= m / a + log a - 1 for every a > 0, hence
    loss_i = E_y e^s / a(x_i) + log a(x_i) - 1 - s_i,pos      >= -I(X; Y) on average

The best baseline is a(x) = E_y e^{s(x, y)}, the best critic s = PMI + log a(x). NWJ is a = e: its best critic is 1 + PMI.
Being linear, batches of any size are unbiased; their variance grows like e^I.
Sources: Nguyen, Wainwright & Jordan 2010, arXiv:0809.0853; Poole et al. 2019, arXiv:1905.06922, equations 4 and 5.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor

from infomax.objectives.chance import log_mean_exp, per_anchor
from infomax.scores import Scores


def tuba(scores: Scores, log_baseline: Any) -> Float[Tensor, " n"]:
    """(N,) losses with a baseline that may be learned.

    Args:
        log_baseline: log a(x): a number, or (N,), of the anchors alone; differentiable.

    >>> import torch
    >>> tuba(Scores(torch.eye(3), torch.eye(3)), log_baseline=0.0)
    tensor([-1., -1., -1.])
    """
    positive = scores.positive()
    baseline = per_anchor(log_baseline, "log_baseline", positive)
    return (log_mean_exp(scores) - baseline).exp() + baseline - 1 - positive


def nwj(scores: Scores) -> Float[Tensor, " n"]:
    """(N,) mean of exp(s - 1) over the row's chance pairs, less the positive: the f-divergence form of KL.

    >>> import torch
    >>> nwj(Scores(torch.eye(3), torch.eye(3), row_offset=torch.ones(3)))  # a critic and one: PMI + 1 is the best
    tensor([-1., -1., -1.])
    """
    return tuba(scores, 1.0)
