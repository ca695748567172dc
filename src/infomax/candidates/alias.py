"""Alias tables: draws from any law over V classes in constant time, built in one vectorised sweep.

Each of V equal slots holds a share of its own class and gives the rest to one other class. Classes lighter than a slot, in
order, are filled up by the heavier ones, in order; prefix sums of what lacks and of what is over say who fills whom (Walker
1977; the sweep: Hübschle-Schneider & Sanders 2019, arXiv:1903.00227, section 4). Sums are in extended precision, where
the machine has it, and draws in float64: a cumulative sum in float32 leaves most of 10⁷ classes unreachable.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from infomax.errors import InfomaxError

_BLOCK = 4096


class AliasTable:
    """A table for `probabilities` (V,) float64, which sum to 1. The law that it holds is compared with the law it was given.

    Raises:
        InfomaxError: the table does not hold the law (no sound input is known to cause this).
    """

    def __init__(self, probabilities: np.ndarray) -> None:
        shares, others = _sweep(np.asarray(probabilities, dtype=np.longdouble))
        missed = _missed(shares, others, probabilities)
        if not missed < tolerance(len(probabilities), np.longdouble):
            raise InfomaxError(f"The alias table misses its law by {missed:.1e} (relative): report this law as a bug.")
        self.shares = torch.from_numpy(shares)
        self.others = torch.from_numpy(others)

    def draw(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        """int64 ids, independent draws."""
        slot = torch.randint(len(self.shares), shape, generator=rng, device=self.shares.device)
        coin = torch.rand(shape, generator=rng, dtype=torch.float64, device=self.shares.device)
        return torch.where(coin < self.shares[slot], slot, self.others[slot])

    def law(self) -> np.ndarray:
        """(V,) the probabilities that the table holds."""
        return _law(self.shares.numpy(), self.others.numpy())


def tolerance(classes: int, dtype: Any) -> float:
    """What a table may miss: 256 roundings of prefix sums, which reach V, and those of the float64 that it is kept in.

    Of 3.7 million classes, the downloads of a registry's packages, prefix sums in float64 missed 16 roundings, and tables from
    extended precision 2.5e-11.
    """
    return max(256 * classes * float(np.finfo(dtype).eps), 1e-10)


def _missed(shares: np.ndarray, others: np.ndarray, probabilities: np.ndarray) -> float:
    """The largest error of the rebuilt law, relative to the class's own probability or to 1/V, whichever is larger."""
    error = np.abs(_law(shares, others) - probabilities)
    return float((error / np.maximum(probabilities, 1 / len(probabilities))).max())


def _sweep(probabilities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(V,) share of its own class in each slot, and the class that has the rest."""
    weights = probabilities * (len(probabilities) / probabilities.sum())
    light, heavy = np.flatnonzero(weights < 1), np.flatnonzero(weights >= 1)
    shares = np.minimum(weights, 1).astype(np.float64)
    others = np.arange(len(weights))
    lacking, over = _prefix_sums(1 - weights[light]), _prefix_sums(weights[heavy] - 1)
    if len(heavy) and len(light):
        before = np.concatenate([lacking[:1] * 0, lacking[:-1]])
        server = np.searchsorted(over, before, side="left").clip(max=len(heavy) - 1)
        others[light] = heavy[server]
        # A heavy class that has given more than it had over is light itself, and is filled up by the next.
        last = np.searchsorted(lacking, over, side="right")
        drained = np.flatnonzero((last < len(light)) & (np.arange(len(heavy)) < len(heavy) - 1))
        shares[heavy[drained]] = (1 + over[drained] - lacking[last[drained]]).astype(np.float64).clip(0, 1)
        others[heavy[drained]] = heavy[drained + 1]
    return shares, others


def _prefix_sums(x: np.ndarray) -> np.ndarray:
    """`np.cumsum` whose rounding does not grow with the square root of V: within blocks, and over blocks."""
    blocks = np.zeros((-(-len(x) // _BLOCK), _BLOCK), x.dtype)
    blocks.ravel()[: len(x)] = x
    sums = blocks.cumsum(1)
    sums[1:] += sums[:-1, -1].cumsum()[:, None]
    return sums.ravel()[: len(x)]


def _law(shares: np.ndarray, others: np.ndarray) -> np.ndarray:
    return (shares + np.bincount(others, 1 - shares, minlength=len(shares))) / len(shares)
