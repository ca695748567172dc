"""What a sampler gives: ids, with the log of how often each was to be expected among them, and the hit rule that goes with it.

A sampled objective is consistent only as a triple of sampler, hit rule and correction. Independent draws: hits (a draw that is
the target itself) are kept, and the log of the expected count, log(k q), is taken off all scores, the target's too. Bernoulli
inclusion (each id at most once): hits are masked, and the log inclusion probability is taken off. So the rule follows from the
sampler, and is no option of the objective.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from torch import Tensor


@dataclass(frozen=True)
class Drawn:
    """Candidates drawn from noise.

    Attributes:
        ids: (k,) int64, shared by all rows, or (N, k), each row its own.
        log_expected: same shape, float64: log of the expected count of each id among its k draws.
        hits: what to do with a draw that is the row's target: "kept" or "masked".
        draws: k, the (expected) number of draws a row; ν of binary NCE.
    """

    ids: Tensor
    log_expected: Tensor
    hits: Literal["kept", "masked"]
    draws: float
