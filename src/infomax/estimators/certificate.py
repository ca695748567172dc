"""`certificate`: a lower limit on the mutual information that holds for any distribution, at any n.

For every function f, I(X; Y) >= E[f(x, y)] - E[exp f(x, y')] + 1, where y' is drawn by itself (Nguyen, Wainwright & Jordan
2010). A critic is fitted to a first part of the pairs; the next part, which it has not seen, is cut into disjoint blocks of
2 or 4 pairs, and each block gives one independent, unbiased value w of the right hand side, its chance pairs made inside
the block. With f clipped to [-a, b] no w is below a known floor, so betting on the w (`betting.py`) gives a limit with
probability 1 - delta: no assumption on the law, on the critic, or on n, but that the pairs are independent draws. Then the
critic is fitted again to all it may have seen, and the bets go on with the next part: each pair but the first quarter is
staked on, none by a critic that knew it. Clips, block length, temper and stake are chosen on the fitted part.

No such limit can exceed about log n (McAllester & Stratos 2020, arXiv:1811.04251); `largest` says where it ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise, product
from typing import Any

import numpy as np

from infomax.data.samples import Sample
from infomax.data.variables import sample as observed_sample
from infomax.errors import InputError
from infomax.estimators.basis_critic import LogRatio, basis_critic
from infomax.estimators.betting import best_stake, lower_limit
from infomax.estimators.estimate import Limit
from infomax.estimators.random_state import generator

Critic = Callable[[Sample, np.random.Generator], LogRatio]

ASSUMPTION = "none: any distribution, independent pairs"
CUTS = (0.25, 0.5, 0.75, 1.0)  # shares of the pairs: fitted on, then three times staked on and added
FEWEST = 40  # pairs below which nothing is tried
PENALTIES = (1.0, 100.0)  # of the plain critic: free, and hardly more than a Gaussian
BLOCKS = (2, 4)
ABOVE = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0)
BELOW = (0.5, 1.0, 3.0)
STAKES = (0.25, 0.5, 0.75, 0.9, 0.97)
TRIED = 600  # blocks of four on which ways to stake are compared
LARGEST_SCORE = 100.0  # far beyond every clip; keeps means finite
TEMPERS = (0.25, 0.5, 0.75, 1.0)


def certificate(
    x: Any, y: Any, *, delta: float = 0.05, critic: Critic | None = None, random_state: Any = None
) -> Limit:
    """A lower limit on I(X; Y) that holds with probability 1 - delta, whatever the distribution of the pairs.

    Args:
        x, y: (n,) or (n, d) arrays, series or data frames; rows are independent draws of one law (not a time series).
        delta: probability with which the limit may fail.
        critic: (Sample, generator) -> (x: Variable, y: Variable) -> (n,) log ratios of aligned rows; any function is
            valid, a good one gives a higher limit. None takes `basis_critic`, which is quick; `neural_critic` (in
            `infomax.estimators.certificate_critic`) finds more where dependence is no smooth function of few columns.
        random_state: None, an int, or a numpy generator.

    Raises:
        InputError: input that cannot be right.

    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=1000)
    >>> limit = certificate(x, x + 0.5 * rng.normal(size=1000), random_state=0)  # the truth is 0.805
    >>> 0.4 < limit.nats < 0.805, limit.confidence
    (True, 0.95)
    """
    return certify(observed_sample(x, y), delta=delta, critic=critic, rng=generator(random_state))


def certify(sample: Sample, *, delta: float, critic: Critic | None, rng: np.random.Generator) -> Limit:
    """The same for a `Sample`."""
    check_delta(delta)
    n = len(sample)
    largest = largest_limit(n, delta)
    if n < FEWEST or largest <= 0 or _constant(sample):
        return Limit(0.0, 1 - delta, ASSUMPTION, max(largest, 0.0))
    sample = sample.rows(rng.permutation(n))
    cuts = [round(share * n) for share in CUTS]
    critics = [partial(basis_critic, penalty=penalty) for penalty in PENALTIES] if critic is None else [critic]
    parts = [_stake(sample, seen, until, delta, critics, rng) for seen, until in pairwise(cuts)]
    values, floors, shares = (np.concatenate(column) for column in zip(*parts, strict=True))
    limit = lower_limit(values, floors, shares[:, None], delta)
    return Limit(max(limit, 0.0), 1 - delta, ASSUMPTION, largest)


def check_delta(delta: Any) -> None:
    """Raises InputError for what is no probability between 0 and 1."""
    if not (isinstance(delta, float | np.floating) and 0 < delta < 1):
        raise InputError(f"delta must lie between 0 and 1, such as 0.05; got {delta!r}.")


def largest_limit(n: int, delta: float) -> float:
    """The limit if every true pair scored the upper clip and every chance pair the lower one, for the best clips."""
    count = int((CUTS[-1] - CUTS[0]) * n) // min(BLOCKS)
    kept = delta ** (1 / max(count, 1))
    ends = [(1 - a - np.exp(b), 1 + b - np.exp(-a)) for a in BELOW for b in ABOVE]
    return float(max(floor + (top - floor) * kept for floor, top in ends))


@dataclass(frozen=True)
class _Play:
    """How to stake: f is temper · critic - shift, clipped to [-below, above]; blocks of so many pairs."""

    temper: float
    shift: float
    below: float
    above: float
    block: int
    share: float

    @property
    def floor(self) -> float:
        return 1 - self.below - float(np.exp(self.above))

    def values(self, scores: np.ndarray) -> np.ndarray:
        """(blocks,) from scores (blocks, block, block), row shift 0 the true pairs."""
        f = np.clip(self.temper * scores - self.shift, -self.below, self.above)
        return f[:, 0].mean(1) - np.exp(f[:, 1:]).mean((1, 2)) + 1


def _constant(sample: Sample) -> bool:
    return any((side.values == side.values[0]).all() for side in (sample.x, sample.y))


def _stake(
    sample: Sample, seen: int, until: int, delta: float, critics: list[Any], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values, floors and shares of the pairs from `seen` to `until`, by a critic of those before."""
    known, ahead = sample.rows(np.arange(seen)), len(sample) - seen
    plays = [(_choose(_crossed(known, critic, rng), ahead, delta), critic) for critic in critics]
    (limit, play), critic = max(plays, key=lambda found: found[0][0])
    if limit <= 0:
        return np.empty(0), np.empty(0), np.empty(0)
    values = play.values(block_scores(critic(known, rng), sample, np.arange(seen, until), play.block))
    return values, np.full(len(values), play.floor), np.full(len(values), play.share)


def _crossed(known: Sample, critic: Critic, rng: np.random.Generator) -> np.ndarray:
    """Block scores of each half of the known pairs by a critic of the other half."""
    halves = np.array_split(np.arange(len(known)), 2)
    crossed = []
    for own, other in (halves, halves[::-1]):
        log_ratio = critic(known.rows(other), rng)
        for _ in range(2):  # blocked twice over: as many chance pairs again
            rows = rng.permutation(own)[: TRIED * max(BLOCKS) // 4]
            crossed.append(block_scores(log_ratio, known, rows, max(BLOCKS)))
    return np.concatenate(crossed)


def _choose(scores: np.ndarray, ahead: int, delta: float) -> tuple[float, _Play]:
    """(limit, play): the play that would have the highest limit on `ahead` more pairs that score like these."""
    temper, shift = max(((t, _shift(t * scores)) for t in TEMPERS), key=lambda pair: _gain(pair[0] * scores, pair[1]))
    best = -np.inf, _Play(temper, shift, BELOW[0], ABOVE[0], BLOCKS[0], 0.0)
    for block in BLOCKS:
        plays = [_Play(temper, shift, below, above, block, 0.0) for above, below in product(ABOVE, BELOW)]
        own = _of_two(scores) if block == 2 else scores
        values, floors = np.stack([play.values(own) for play in plays]), np.array([play.floor for play in plays])
        limit, way, share = best_stake(values, floors, ahead // block, delta, STAKES)
        if limit > best[0]:
            best = limit, replace(plays[way], share=share)
    return best


def _of_two(scores: np.ndarray) -> np.ndarray:
    """Blocks of four pairs (shift, row) as blocks of the pairs (0, 1) and (2, 3), whose chance pairs are known."""
    first = np.stack([scores[:, 0, 0:2], np.stack([scores[:, 1, 0], scores[:, 3, 1]], 1)], 1)
    second = np.stack([scores[:, 0, 2:4], np.stack([scores[:, 1, 2], scores[:, 3, 3]], 1)], 1)
    return np.concatenate([first, second])


def _shift(scores: np.ndarray) -> float:
    """log of the mean of exp over chance pairs, clipped so that no single pair decides it."""
    return float(np.log(np.exp(np.clip(scores[:, 1:], -20, 10)).mean()))


def _gain(scores: np.ndarray, shift: float) -> float:
    return float(scores[:, 0].mean() - shift)


def block_scores(log_ratio: LogRatio, sample: Sample, rows: np.ndarray, block: int) -> np.ndarray:
    """(blocks, block, block) scores: [k, s, i] is that of x_i with y_(i+s) of block k, both counted in the block."""
    rows = rows[: len(rows) // block * block].reshape(-1, block)
    scores = []
    for shift in range(block):
        x, y = sample.x.rows(rows.ravel()), sample.y.rows(np.roll(rows, -shift, axis=1).ravel())
        found = np.nan_to_num(np.asarray(log_ratio(x, y), dtype=float), nan=0.0)
        scores.append(np.clip(found, -LARGEST_SCORE, LARGEST_SCORE).reshape(-1, block))
    return np.stack(scores, axis=1)
