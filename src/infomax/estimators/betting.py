"""Limits on a mean that hold at every n and for every distribution, by betting (Waudby-Smith & Ramdas 2023).

Values w_t arrive one by one, each with a floor that was known before it: w_t >= floor_t. Against the claim that the mean
of each, given the past, is at most m, one stakes a share c_t of one's capital on w_t being large:

    capital_t = capital_{t-1} · (1 - c_t + c_t (w_t - floor_t) / (m - floor_t)).

If the claim is true this is a non-negative supermartingale that starts at 1, so it ever reaches 1 / delta with probability
at most delta (Ville's inequality). The capital falls as m grows: the m at which it comes down to 1 / delta is a lower
limit. No upper end of the values is needed, which is what makes limits on a log ratio possible.
"""

from __future__ import annotations

from math import log

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

SHARES = (0.06, 0.125, 0.25, 0.5, 0.75, 0.9, 0.97, 0.99)


def lower_limit(values: np.ndarray, floors: np.ndarray, shares: np.ndarray, delta: float) -> float:
    """The largest m that the bets rule out at level delta; minus infinity where they rule out nothing.

    Args:
        values: (n,) with mean at most that which is asked for, given the past.
        floors: (n,) what each value cannot fall below.
        shares: (n, k) the share staked each time, in [0, 1), known beforehand; k players share the capital equally.

    >>> rng = np.random.default_rng(0)
    >>> coins = (rng.random(1000) < 0.7).astype(float)
    >>> round(lower_limit(coins, np.zeros(1000), np.full((1000, 1), 0.2), 0.05), 2)
    0.63
    """
    if not len(values):
        return -np.inf
    gains = values - floors
    lowest, highest = float(floors.max()), float(values.max())

    def wealth(m: float) -> float:
        odds = gains / (m - floors) - 1
        with np.errstate(divide="ignore"):
            capital = np.log1p(shares * odds[:, None]).sum(0)
        return float(logsumexp(capital) - log(shares.shape[1]) + log(delta))

    start = lowest + 1e-9 * (1 + abs(lowest))
    if highest <= start or wealth(start) <= 0:
        return -np.inf
    return float(brentq(wealth, start, highest, xtol=1e-9)) if wealth(highest) < 0 else highest


def best_share(values: np.ndarray, floor: float, count: int, delta: float) -> tuple[float, float]:
    """(limit, share): the limit that `count` values like these would reach, and the share that reaches it."""
    limits = {}
    for share in SHARES:
        weight = count / len(values)

        def wealth(m: float, share: float = share, weight: float = weight) -> float:
            return weight * float(np.log1p(share * ((values - floor) / (m - floor) - 1)).sum()) + log(delta)

        start, highest = floor + 1e-6 * (1 + abs(floor)), float(values.max())
        if highest > start and wealth(start) > 0:
            limits[share] = highest if wealth(highest) > 0 else float(brentq(wealth, start, highest, xtol=1e-4))
    if not limits:
        return -np.inf, SHARES[0]
    share = max(limits, key=lambda c: limits[c])
    return limits[share], share
