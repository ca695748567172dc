"""p-values of independence by permutation: how often chance pairs score as high as the pairs that were seen.

p = (1 + #{permuted >= observed}) / (1 + permutations) is exact for exchangeable pairs (Phipson & Smyth 2010), a pairing that
the method cannot read counting as reached: it is never 0, and below a with probability at most a where x and y are
independent. Which permutations leave the null as it is depends on the data: any for independent pairs; whole blocks of a
series, from a random start, so that what is dependent stays together; with z given, within the strata of a discrete z, or
between near neighbours in a continuous one (Runge 2018, arXiv:1709.01447, algorithm 1), which is approximate.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from joblib import Parallel, delayed
from scipy.spatial import cKDTree
from scipy.stats import rankdata

from infomax.data.samples import Sample, Variable
from infomax.errors import InputError
from infomax.estimators.sequential import SAME

NEIGHBOURS = 5  # Runge's k_perm


def p_value(
    statistic: Callable[[Sample, np.random.Generator], float],
    sample: Sample,
    observed: float,
    *,
    permutations: int,
    block: int = 1,
    rng: np.random.Generator,
    n_jobs: int = 1,
) -> float:
    """(1 + #{permuted >= observed}) / (1 + permutations).

    Raises:
        InputError: blocks together with a given variable, or fewer than three blocks.
    """
    pairing = null_pairings(sample, block)

    def permuted(child: np.random.Generator) -> float:
        try:
            return statistic(sample.with_y(pairing(child)), child)
        except InputError:  # the method takes the sample, but not this pairing of it
            return np.inf

    values = Parallel(n_jobs=n_jobs)(delayed(permuted)(child) for child in rng.spawn(permutations))
    least = observed - SAME * max(1.0, abs(observed)) if np.isfinite(observed) else observed
    return (1 + sum(value >= least for value in values)) / (1 + permutations)


def null_pairings(sample: Sample, block: int = 1) -> Callable[[np.random.Generator], np.ndarray]:
    """A function that draws (n,) positions of y such that x and y[positions] are a draw from the null."""
    n = len(sample)
    if sample.z is None:
        if block == 1:
            return lambda rng: rng.permutation(n)
        if n < 3 * block:
            raise InputError(f"{n:,} pairs make fewer than 3 blocks of {block:,}: give shorter blocks.")
        return lambda rng: shuffled_blocks(n, block, rng)
    if block > 1:
        raise InputError("A p-value knows blocks, or a given variable, not both: leave out one, or permutations=0.")
    near = _near(sample.z)
    strata = sample.z.codes() if sample.z.discrete.any() else np.zeros(n, dtype=np.int64)
    if near is None:
        return lambda rng: shuffled_within(strata, rng)
    return lambda rng: shuffled_nearby(near, rng)


def shuffled_blocks(n: int, block: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) positions: the circle 0 ... n - 1 cut at a random place into blocks, which are laid out in random order."""
    circle = np.roll(np.arange(n), -int(rng.integers(n)))
    blocks = np.split(circle, np.arange(block, n, block))
    return np.concatenate([blocks[i] for i in rng.permutation(len(blocks))])


def shuffled_within(strata: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) positions permuted within each stratum: sort by stratum, once in order and once with ties at random."""
    positions = np.empty(len(strata), dtype=np.int64)
    positions[np.argsort(strata, kind="stable")] = np.lexsort((rng.random(len(strata)), strata))
    return positions


def shuffled_nearby(near: list[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """(n,) positions: in random order each takes a free one of its neighbours, or any of them when none is free."""
    positions = np.empty(len(near), dtype=np.int64)
    taken = np.zeros(len(near), dtype=bool)
    for i in rng.permutation(len(near)):
        choice = rng.permutation(near[i])
        free = choice[~taken[choice]]
        positions[i] = free[0] if len(free) else choice[0]
        taken[positions[i]] = True
    return positions


def _near(z: Variable) -> list[np.ndarray] | None:
    """The neighbours of each row in the ranks of z's continuous columns, within its stratum; None if z is discrete."""
    if z.kind == "discrete":
        return None
    n = len(z)
    ranks = rankdata(z.values[:, ~z.discrete], axis=0)
    strata = z.codes() if z.discrete.any() else np.zeros(n, dtype=np.int64)
    near: list[np.ndarray] = [np.empty(0, dtype=np.int64)] * n
    for stratum in np.unique(strata):
        members = np.flatnonzero(strata == stratum)
        k = min(NEIGHBOURS, len(members))
        found = cKDTree(ranks[members]).query(ranks[members], k=np.arange(1, k + 1), p=np.inf)[1]
        for row, neighbours in zip(members, found, strict=True):
            near[row] = members[neighbours]
    return near
