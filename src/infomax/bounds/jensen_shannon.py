"""Jensen-Shannon on held-out pairs: log 4 - loss <= 2 JSD(p(x, y), p(x)p(y)) <= I(X; Y).

The second step: JSD(p, q) <= (KL(p || r) + KL(q || r)) / 2 for every r, and r = q gives KL(p || q) / 2. So the loss of Deep
InfoMax is itself a lower bound, calm and never above log 4. Or it is a proxy: its best critic is PMI, which
`jensen_shannon_nwj` reads through NWJ, without a ceiling. Sources: Hjelm et al. 2019, arXiv:1808.06670, equation 4;
Poole et al. 2019, arXiv:1905.06922, section 2.5.
"""

from __future__ import annotations

from math import log
from typing import Any

import torch

from infomax import objectives
from infomax.bounds.bound import Bound
from infomax.bounds.reading import INDEPENDENT, earned, fn_taken, reading
from infomax.bounds.tuba import nwj
from infomax.objectives.jensen_shannon import softplus
from infomax.scores import Scores


@torch.no_grad()
def jensen_shannon(scores: Scores, *, groups: Any = None) -> Bound:
    """Lower for every critic; ceiling log 4; equality only at 0 information.

    Args:
        scores: of held-out pairs, by a critic that has not seen them.
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups.

    >>> bound = jensen_shannon(Scores(50 * torch.eye(4), torch.eye(4), row_offset=torch.full((4,), -25.0)))
    >>> round(bound.value, 4), round(bound.ceiling, 4)
    (1.3863, 1.3863)
    """
    values = log(4) - objectives.jensen_shannon(scores)
    side = earned(scores, "lower", f"a lower bound in expectation, {INDEPENDENT}")
    return reading(values, fn_taken(scores, softplus), log(4), side, groups)


@torch.no_grad()
def jensen_shannon_nwj(scores: Scores, *, groups: Any = None) -> Bound:
    """`nwj` of s + 1: for a critic that was trained by `objectives.jensen_shannon`, or any other of PMI; no ceiling.

    >>> jensen_shannon_nwj(Scores(torch.eye(4), torch.eye(4))).value
    1.0
    """
    return nwj(scores.with_row_offset(torch.ones_like(scores.positive())), groups=groups)
