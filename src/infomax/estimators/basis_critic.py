"""A plain critic for any kinds of columns: log p(x, y) / p(x) p(y) as a logistic regression on products of features.

True pairs against shuffled ones, told apart by logistic regression, have the log density ratio as their log odds (noise
contrastive estimation). Features of a side are 1, one-hot levels of discrete columns, and Hermite polynomials of the
normal scores of continuous ones (of the leading canonical variates where there are many); all products of a feature of
x and one of y go in. Tables are matched exactly, Gaussian pairs too, and so are smooth relations of any shape in few
columns. Quick and steady rather than sharp: it is what a certificate stands on when no better critic is given.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgWarning
from sklearn.linear_model import LogisticRegression

from infomax.data.samples import Sample, Variable
from infomax.estimators.canonical import CanonicalPairs, gaussian_log_ratio
from infomax.estimators.normal_scores import NormalScores

LogRatio = Callable[[Variable, Variable], np.ndarray]

LEVELS = 11  # one-hot features of a discrete side; rarer levels share the last
COORDINATES = 4  # beyond so many columns a side is seen through its canonical variates
DEGREE = 3
SHUFFLES = 4  # shuffled pairs for each true one
LARGEST = 20_000  # pairs to fit on; more would not change so few parameters


def basis_critic(sample: Sample, rng: np.random.Generator, penalty: float = 1.0) -> LogRatio:
    """Fit to a sample; the answer scores aligned rows: (n,) estimated log density ratios, in nats."""
    if len(sample) > LARGEST:
        sample = sample.rows(rng.permutation(len(sample))[:LARGEST])
    features = _Features.fit(sample)
    shifts = 1 + rng.permutation(len(sample) - 1)[:SHUFFLES]
    order = rng.permutation(len(sample))
    chance = [features(sample.x.rows(order), sample.y.rows(np.roll(order, shift))) for shift in shifts]
    rows = np.concatenate([features(sample.x, sample.y), *chance])
    truth = np.repeat([1, 0], [len(sample), len(rows) - len(sample)])
    scale = rows.std(0) + 1e-9
    scale[0] /= 10  # the Gaussian baseline is nearly free of the penalty
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LinAlgWarning)  # a rare level: the penalty decides, and any critic will do
        model = LogisticRegression(C=1 / penalty, solver="newton-cholesky", max_iter=50).fit(rows / scale, truth)
    weights, offset = model.coef_[0] / scale, float(model.intercept_[0]) + np.log(len(shifts))
    return lambda x, y: features(x, y) @ weights + offset


@dataclass(frozen=True)
class _Features:
    """(n, p) features of aligned rows of x and y; the first is the Gaussian log ratio of the normal scores."""

    x_scores: NormalScores
    y_scores: NormalScores
    pairs: CanonicalPairs
    rho: np.ndarray
    x_levels: list[np.ndarray]
    y_levels: list[np.ndarray]

    @classmethod
    def fit(cls, sample: Sample) -> _Features:
        x, y = (side.values[:, ~side.discrete] for side in (sample.x, sample.y))
        scores = NormalScores.fit(x), NormalScores.fit(y)
        pairs = CanonicalPairs.fit(scores[0](x), scores[1](y))
        rho = np.minimum(pairs.unbiased(), 0.9999)
        return cls(*scores, pairs, rho, _levels(sample.x), _levels(sample.y))

    def __call__(self, x: Variable, y: Variable) -> np.ndarray:
        u = self.x_scores(x.values[:, ~x.discrete])
        v = self.y_scores(y.values[:, ~y.discrete])
        variates = self.pairs.variates(u, v)
        kept = len(self.rho)
        baseline = gaussian_log_ratio(variates[0][:, :kept], variates[1][:, :kept], self.rho)
        left = _side(u, variates[0], x, self.x_levels)
        right = _side(v, variates[1], y, self.y_levels)
        products = (left[:, :, None] * right[:, None, :]).reshape(len(left), -1)[:, 1:]
        return np.column_stack([baseline, products])


def _levels(variable: Variable) -> list[np.ndarray]:
    """The commonest levels of each discrete column, fewer for each where there are many columns."""
    columns = np.flatnonzero(variable.discrete)
    found = []
    for column in columns:
        levels, counts = np.unique(variable.values[:, column], return_counts=True)
        found.append(levels[np.argsort(-counts, kind="stable")][: max(1, LEVELS // len(columns))])
    return found


def _side(scores: np.ndarray, variates: np.ndarray, variable: Variable, levels: list[np.ndarray]) -> np.ndarray:
    """(n, 1 + p): a one, one-hot levels, Hermite polynomials of the coordinates."""
    u = scores if scores.shape[1] <= COORDINATES else np.clip(variates[:, :COORDINATES], -4, 4)
    hermite = [u, (u**2 - 1) / np.sqrt(2), (u**3 - 3 * u) / np.sqrt(6)][:DEGREE]
    discrete = variable.values[:, variable.discrete]
    one_hot = [(discrete[:, [j]] == seen).astype(float) for j, seen in enumerate(levels[: discrete.shape[1]])]
    return np.concatenate([np.ones((len(variable), 1)), *one_hot, *hermite], axis=1)
