"""Jensen-Shannon: binary classification of true pairs against chance pairs, in nats.

    loss = E_{p(x,y)} softplus(-s) + E_{p(x)p(y)} softplus(s)      >= log 4 - 2 JSD, with equality at s = PMI

Its scores are calibrated without an exponential, so training is calm where the information is high; the optimum being
PMI, they can then be read by another bound (NWJ at s + 1). Sources: Nowozin et al. 2016, arXiv:1606.00709, table 2;
Deep InfoMax, Hjelm et al. 2019, arXiv:1808.06670, equation 4; Poole et al. 2019, arXiv:1905.06922, section 2.5.
"""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from infomax.objectives.chance import mean_of
from infomax.scores import Scores


def jensen_shannon(scores: Scores) -> Float[Tensor, " n"]:
    """(N,) softplus(-positive), and the mean of softplus(s) over the row's chance pairs.

    >>> import torch
    >>> jensen_shannon(Scores(torch.zeros(3, 1), torch.zeros(3, 1)))  # a constant critic: log 4
    tensor([1.3863, 1.3863, 1.3863])
    """
    return mean_of(softplus, scores) - logsigmoid(scores.positive())


def softplus(s: Tensor) -> Tensor:
    """log(1 + e^s), exact where torch's softplus cuts at 20."""
    return -logsigmoid(-s)
