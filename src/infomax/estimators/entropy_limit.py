"""An upper limit on the mutual information where a side is discrete: I(X; Y) <= H(X), and the entropy can be bounded.

Predict each level from those before it, q_t(k) = (count + ½) / (t + K/2). The loss -log q_t(x_t) has a mean, given the
past, of at least H(X), whatever the law over the K levels, and is at most log((t + K/2) / ½): betting (`betting.py`) on
its negative gives an upper limit on the entropy that holds with probability 1 - delta at every n. It is never above
log K. The assumption is that there are no levels beyond those seen: without it a discrete side has no upper limit either.
"""

from __future__ import annotations

from math import log

import numpy as np

from infomax.data.samples import Sample, Variable
from infomax.estimators.betting import SHARES, lower_limit
from infomax.estimators.estimate import Limit


def entropy_limit(sample: Sample, delta: float, rng: np.random.Generator) -> Limit | None:
    """The lower of the limits on the discrete sides' entropies, in nats; None where no side is discrete."""
    sides = {"x": sample.x, "y": sample.y}
    discrete = {side: variable for side, variable in sides.items() if variable.kind == "discrete"}
    limits = [
        Limit(
            most_entropy(variable, delta / len(discrete), rng),
            1 - delta,
            f"entropy of {side}, which has no levels but those seen; independent pairs",
        )
        for side, variable in discrete.items()
    ]
    return min(limits, key=lambda limit: limit.nats, default=None)


def most_entropy(variable: Variable, delta: float, rng: np.random.Generator) -> float:
    """An upper limit on the entropy of a discrete variable, in nats, that holds with probability 1 - delta.

    >>> rare = Variable((np.arange(1000.0) % 50 == 0)[:, None].astype(float), np.array([True]), ("x",))
    >>> 0.098 < most_entropy(rare, 0.05, np.random.default_rng(0)) < 0.2  # the entropy is 0.098
    True
    """
    codes = rng.permutation(variable.codes())
    n, levels = len(codes), len(np.unique(codes))
    before = np.arange(n) + levels / 2
    losses = np.log(before) - np.log(_seen_before(codes) + 0.5)
    shares = np.broadcast_to(SHARES, (n, len(SHARES)))
    return min(log(levels), -lower_limit(-losses, -np.log(before / 0.5), shares, delta))


def _seen_before(codes: np.ndarray) -> np.ndarray:
    """(n,) how often each entry's level stands before it."""
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes)
    ranks = np.empty(len(codes), dtype=np.int64)
    ranks[order] = np.arange(len(codes)) - np.repeat(np.cumsum(counts) - counts, counts)
    return ranks
