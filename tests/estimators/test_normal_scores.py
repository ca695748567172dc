"""Normal scores: quantiles of ranks, free of a column's units."""

import numpy as np
from scipy.stats import norm, rankdata

from infomax.estimators.normal_scores import NormalScores, normal_scores


def test_scores_are_normal_quantiles_of_mean_ranks():
    values = np.random.default_rng(0).integers(0, 9, size=(50, 3)).astype(float)
    ranks = rankdata(values, axis=0)
    np.testing.assert_allclose(normal_scores(values), norm.ppf((ranks - 0.5) / 50), atol=1e-12)


def test_increasing_maps_of_a_column_change_nothing():
    values = np.random.default_rng(1).normal(size=(40, 2))
    mapped = np.column_stack([np.exp(3 * values[:, 0]), 1e-200 * values[:, 1]])
    np.testing.assert_array_equal(normal_scores(values), normal_scores(mapped))


def test_new_rows_are_placed_among_the_rows_fitted_on():
    scores = NormalScores.fit(np.arange(4.0)[:, None])
    placed = scores(np.array([[-9.0], [1.5], [2.0], [99.0]])).ravel()
    np.testing.assert_allclose(placed, norm.ppf([1 / 8, 0.5, 5 / 8, 7 / 8]))
