"""A test of independence that costs one pass over the data, so that each of many pairs can have its p-value.

A continuous side is cut at its quantiles, which makes a contingency table of any two columns. Two cuts, a coarse and a
fine one, and a test on ranks (Spearman, or Kruskal and Wallis), which sees a weak trend that no table sees, share one
level by Bonferroni's rule: any dependence is seen at last, as the fine cut grows finer with n. Where ties or a rare level
weigh so much that ranks do not follow their limiting laws, they are permuted, or, of many rows, left to the tables.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt, sqrt

import numpy as np
from scipy import stats

from infomax.data.samples import Sample, Variable
from infomax.estimators.contingency import contingency_p_value
from infomax.estimators.sequential import sequential_p_value

_COARSE, _FINE = 4, 32  # cells that a continuous side is cut into, at most
_EXPECTED = 5  # rows that a cell of a table is to hold on average, at least
_HEAVY = 0.2  # excess kurtosis of a rank statistic over all permutations from which it is permuted,
_FEW = 5000  # if there are no more rows than this


@dataclass(frozen=True)
class Independence:
    """A p-value of independence, and the test it comes from, in words."""

    p_value: float
    test: str


def independence_test(sample: Sample, rng: np.random.Generator) -> Independence | None:
    """The p-value of "x and y are independent (given z)", for independent rows; None where this test is not defined.

    It is defined for one column a side, or several discrete ones taken together; and, where something is given, for
    discrete z, within whose levels x and y are compared.

    >>> x = np.arange(200.0)[:, None]
    >>> one = Variable(x, np.array([False]), ("x",))
    >>> independence_test(Sample(one, one), np.random.default_rng(0)).p_value < 1e-9
    True
    """
    sides = [_one_column(sample.x), _one_column(sample.y)]
    if any(side is None for side in sides) or (sample.z is not None and sample.z.kind != "discrete"):
        return None
    strata = [np.arange(len(sample))] if sample.z is None else _groups(sample.z.codes())
    x, y = (side for side in sides if side is not None)
    continuous = (sample.x.kind != "discrete", sample.y.kind != "discrete")
    if not any(continuous):
        p = contingency_p_value([(x[rows], y[rows]) for rows in strata], rng)
        return Independence(p, "X² of the contingency table")
    finest = max(_cells(x[rows], y[rows], continuous) for rows in strata)
    cuts = [most for most in (_COARSE, _FINE) if most == _COARSE or finest > _COARSE]
    found = [contingency_p_value([_cut(x[rows], y[rows], continuous, most) for rows in strata], rng) for most in cuts]
    test = f"X² of {'a coarse and a fine table' if len(cuts) > 1 else 'a table'} of quantiles"
    if sample.z is None:
        found.append(_rank_p_value(x, y, continuous, rng))
        test = f"{'Spearman' if all(continuous) else 'Kruskal-Wallis'} and {test}"
    return Independence(min(1.0, len(found) * min(found)), f"{test} (the smallest p times {len(found)})")


def _one_column(side: Variable) -> np.ndarray | None:
    if side.kind == "discrete":
        return side.codes()
    return side.values[:, 0] if side.values.shape[1] == 1 else None


def _groups(codes: np.ndarray) -> list[np.ndarray]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def _cut(x: np.ndarray, y: np.ndarray, continuous: tuple[bool, bool], most: int) -> tuple[np.ndarray, np.ndarray]:
    """Both sides as codes; a continuous one cut into as many cells of equal weight as the rows allow, at most `most`."""
    cells = max(2, min(_cells(x, y, continuous), most))
    coded = [
        _quantile_codes(side, cells) if cut else side.astype(np.int64)
        for side, cut in zip((x, y), continuous, strict=True)
    ]
    return coded[0], coded[1]


def _cells(x: np.ndarray, y: np.ndarray, continuous: tuple[bool, bool]) -> int:
    """Into how many cells the rows allow a continuous side to be cut."""
    if all(continuous):
        return isqrt(len(x) // _EXPECTED)
    return len(x) // (_EXPECTED * max(1, len(np.unique(y if continuous[0] else x))))


def _quantile_codes(values: np.ndarray, cells: int) -> np.ndarray:
    edges = np.quantile(values, np.arange(1, cells) / cells) if len(values) else np.empty(0)
    return np.searchsorted(edges, values, side="left")


def _rank_p_value(x: np.ndarray, y: np.ndarray, continuous: tuple[bool, bool], rng: np.random.Generator) -> float:
    """Spearman's test where both sides are continuous, Kruskal and Wallis's where one is; a constant side gives 1."""
    if x.min() == x.max() or y.min() == y.max():
        return 1.0
    if all(continuous):
        return _spearman(_centred_ranks(x), _centred_ranks(y), rng)
    values, codes = (x, y) if continuous[0] else (y, x)
    return _kruskal_wallis(_centred_ranks(values), np.unique(codes, return_inverse=True)[1].reshape(-1), rng)


def _spearman(a: np.ndarray, b: np.ndarray, rng: np.random.Generator) -> float:
    n, observed = len(a), abs(float(a @ b))
    if _excess(a) * _excess(b) / n <= _HEAVY:
        return float(2 * stats.norm.sf(observed / sqrt(float(a @ a) * float(b @ b)) * sqrt(n - 1)))
    if n > _FEW:
        return 1.0
    return sequential_p_value(lambda k: np.abs(_shuffles(b, k, rng) @ a), observed)


def _kruskal_wallis(ranks: np.ndarray, codes: np.ndarray, rng: np.random.Generator) -> float:
    counts = np.bincount(codes)
    starts = np.cumsum(counts) - counts

    def between(sorted_by_code: np.ndarray) -> np.ndarray:
        sums = np.add.reduceat(sorted_by_code, starts, axis=1)
        return (sums**2 / counts).sum(1) / ranks.var(ddof=1)

    observed = float(between(ranks[np.argsort(codes, kind="stable")][None])[0])
    rarest = counts.min() / len(ranks)
    if _excess(ranks) * (1 / (rarest * (1 - rarest)) - 6) / len(ranks) <= _HEAVY:
        return float(stats.chi2.sf(observed, len(counts) - 1))
    if len(ranks) > _FEW:
        return 1.0
    return sequential_p_value(lambda k: between(_shuffles(ranks, k, rng)), observed)


def _centred_ranks(values: np.ndarray) -> np.ndarray:
    return stats.rankdata(values) - (len(values) + 1) / 2


def _excess(a: np.ndarray) -> float:
    """Excess kurtosis of centred values; over permutations that of Σ a_i b_π(i) is the product of both over n, or nearly."""
    squares = a * a
    return float(len(a) * (squares @ squares) / squares.sum() ** 2 - 3)


def _shuffles(values: np.ndarray, k: int, rng: np.random.Generator) -> np.ndarray:
    return rng.permuted(np.broadcast_to(values, (k, len(values))), axis=1)
