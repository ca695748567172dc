"""Bennett's acceptance ratio: the normaliser from draws of both laws, which is NCE with nothing but c learned.

Source: Bennett 1976, "Efficient estimation of free energy differences from Monte Carlo data"; Gutmann & Hyvärinen 2012.
"""

from __future__ import annotations

from math import log

import torch
from scipy.optimize import brentq
from torch import Tensor


def bennett_shift(log_ratio_x: Tensor, log_ratio_y: Tensor) -> float:
    """c = -log Z, the root of Σ σ(-G) over T observations = Σ σ(G) over νT noise draws, G = log p̃/q + c - log ν.

    Args:
        log_ratio_x, log_ratio_y: (T,) and (νT,) log p̃/q at draws of the model's law and of the noise; finite.
    """
    u, v = log_ratio_x.double(), log_ratio_y.double()
    shift = log(len(v) / len(u))

    def surplus(c: float) -> float:
        return float(torch.sigmoid(v + (c - shift)).sum() - torch.sigmoid(shift - c - u).sum())

    ends = torch.cat([u, v])
    room = 40 + log(len(ends))  # so far out every term of one side is 0 to float64, of the other 1
    return float(brentq(surplus, shift - float(ends.max()) - room, shift - float(ends.min()) + room, xtol=1e-12))
