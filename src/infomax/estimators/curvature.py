"""Is a Gaussian reading right? Regressions that bend say no, and by how much it falls short at least.

Between jointly Gaussian sides every regression is straight: what is left of a canonical variate of y after its regression on
x depends on x no more. So the rest is regressed on products of x (Ramsey 1969, RESET): each column times the squared norm,
which sees directions that turn with the radius, and products of two or three with the leading variates; an F test says
whether they explain more than chance does. An explained share R² of the rest is worth -½ log(1 - R²) nats. Rows in a
series agree by chance more often than the test knows, so where neighbouring rows are alike nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from scipy.stats import f as f_law

from infomax.estimators.canonical import CanonicalPairs, whiten

LEADING = 3  # variates that products are formed with
ROWS_A_PRODUCT = 10
SERIAL = (
    0.02  # product of lag-one correlations, of bends and rest, from which rows are a series; chance gives about 1 / n
)


@dataclass(frozen=True)
class Curvature:
    """What bent regressions explain beyond straight ones.

    Attributes:
        nats: information that the straight ones miss, of both directions; 0 is the average where nothing is bent.
        p_value: of straight regressions, by the F tests of all variates (Bonferroni).
    """

    nats: float
    p_value: float

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> Curvature:
        """Of normal scores x (n, d_x) and y (n, d_y), on the canonical pairs that stand out from noise.

        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(2000, 3))
        >>> straight = x + rng.normal(size=(2000, 3))
        >>> Curvature.of(x, straight).p_value > 0.01 > Curvature.of(x, straight + x**2).p_value
        True
        """
        pairs = CanonicalPairs.fit(x, y)
        u, v = (side[:, : len(pairs.unbiased())] for side in pairs.variates(x, y))
        if not u.shape[1]:
            return cls(0.0, 1.0)
        nats, p_values = zip(_explained(x, u, v), _explained(y, v, u), strict=True)
        return cls(sum(nats), min(1.0, 2 * u.shape[1] * min(p_values)))


def _explained(x: np.ndarray, own: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Nats that products of x explain of what straight lines leave of `other` (n, r), and the least p-value of its columns."""
    lines = whiten(np.column_stack([np.ones(len(x)), x]))[0]
    rest, products = (side - lines @ (lines.T @ side) for side in (other, _products(x, own[:, :LEADING])))
    bends = whiten(products)[0]
    if not bends.shape[1]:
        return 0.0, 1.0
    freedom = len(x) - lines.shape[1] - bends.shape[1]
    unexplained = rest - bends @ (bends.T @ rest)
    if _lag_one(unexplained).max() * _lag_one(bends).mean() > SERIAL:
        return 0.0, 1.0
    total = (rest**2).sum(0)
    missed = np.maximum((unexplained**2).sum(0), total * np.finfo(float).eps)
    ratio = (total / missed - 1) * freedom / bends.shape[1]
    left = missed / total * (1 + bends.shape[1] / freedom)  # 1 on average where nothing is bent
    return float(np.maximum(-0.5 * np.log(left), 0).sum()), float(f_law.sf(ratio, bends.shape[1], freedom).min())


def _lag_one(columns: np.ndarray) -> np.ndarray:
    """(r,) size of each column's correlation with itself a row later."""
    return np.abs((columns[1:] * columns[:-1]).sum(0)) / np.maximum((columns**2).sum(0), np.finfo(float).tiny)


def _products(x: np.ndarray, leading: np.ndarray) -> np.ndarray:
    """(n, p) products of the columns of x (n, d), as many kinds of them as there are rows for."""
    triples = [leading[:, list(some)].prod(1) for some in combinations_with_replacement(range(leading.shape[1]), 3)]
    kinds = [x * ((x**2).mean(1, keepdims=True) - 1), np.column_stack(triples), *(x * u[:, None] for u in leading.T)]
    found = np.empty((len(x), 0))
    for kind in kinds:
        if found.shape[1] + kind.shape[1] <= len(x) // ROWS_A_PRODUCT:
            found = np.column_stack([found, kind])
    return found
