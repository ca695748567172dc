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
HALVINGS = 16  # of the span in which `best_stake` looks for its limit


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
    lowest, highest = float(floors.max()), float(values.max())
    start = lowest + 1e-9 * (1 + abs(lowest))
    told = (values - floors, floors, shares, delta)
    if highest <= start or _wealth(start, *told) <= 0:
        return -np.inf
    return float(brentq(_wealth, start, highest, told, xtol=1e-9)) if _wealth(highest, *told) < 0 else highest


def _wealth(m: float, gains: np.ndarray, floors: np.ndarray, shares: np.ndarray, delta: float) -> float:
    """log of the final capital, over what it must reach, where the mean is claimed to be at most m."""
    odds = gains / (m - floors) - 1
    capital = np.log1p(shares * odds[:, None]).sum(0)
    return float(logsumexp(capital) - log(shares.shape[1]) + log(delta))


def best_stake(
    values: np.ndarray, floors: np.ndarray, count: int, delta: float, shares: tuple[float, ...] = SHARES
) -> tuple[float, int, float]:
    """(limit, way, share): the highest limit that `count` values like these would reach, and how.

    Args:
        values: (ways, n) values of each way to play.
        floors: (ways,) what they cannot fall below.

    One bisection for all ways and shares at once, as a certificate compares many.
    """
    gains = (values - floors[:, None])[:, None, :]  # (ways, 1, n)
    needed = -log(delta) * values.shape[1] / count
    stakes = np.array(shares)[:, None]
    low = np.repeat(1e-6 * (1 + np.abs(floors))[:, None], len(shares), axis=1)
    high = np.maximum(gains.max(2), low)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        wins = np.log1p(stakes * (gains / middle[:, :, None] - 1)).sum(2) > needed
        low, high = np.where(wins, middle, low), np.where(wins, high, middle)
    limits = low + floors[:, None]
    way, share = np.unravel_index(int(np.argmax(limits)), limits.shape)
    return float(limits[way, share]), int(way), shares[share]
