"""The critic's parts: splits, features, InfoNCE terms, and the batched networks."""

import numpy as np
import pytest
import torch

from infomax.bounds.info_nce import info_nce
from infomax.data.variables import sample
from infomax.estimators.canonical import gaussian_table
from infomax.estimators.critic.features import FoldFeatures
from infomax.estimators.critic.folds import three_way_folds
from infomax.estimators.critic.held_out import constant_terms, copula_terms, info_nce_terms
from infomax.estimators.critic.network import Baseline, Batched, Critics, Sizes, score_table
from infomax.estimators.critic.training import AdamW, group_scores, logistic_nce
from infomax.scores import Scores


def test_each_row_is_reported_on_once_by_a_fold_that_has_not_seen_it():
    folds = three_way_folds(103, 4, 0.2, np.random.default_rng(0))
    assert sorted(np.concatenate([fold.report for fold in folds])) == list(range(103))
    for fold in folds:
        assert sorted(np.concatenate([fold.fit, fold.choose, fold.report])) == list(range(103))
        assert len(fold.choose) == round(0.2 * (103 - len(fold.report)))


def test_terms_are_the_bound_of_the_score_matrix_with_its_standard_error():
    scores = 2 * np.random.default_rng(1).normal(size=(40, 40)) + 3 * np.eye(40)
    terms = info_nce_terms(lambda group: scores[np.ix_(group, group)], 40)
    bound = info_nce(Scores.from_dense(torch.from_numpy(scores)))
    assert terms.nats == pytest.approx(bound.value, abs=1e-9)
    assert terms.standard_error == pytest.approx(bound.standard_error, rel=1e-6)
    assert terms.ceiling == pytest.approx(bound.ceiling)


def test_rows_are_compared_within_groups_only():
    def table(group):
        return np.where(np.equal.outer(group, group), 100.0, 0.0)

    terms = info_nce_terms(table, 2050)  # three groups of about 683
    assert terms.ceiling == pytest.approx(np.log(2050 / 3), abs=1e-3)
    assert terms.nats == pytest.approx(terms.ceiling)


def test_a_constant_score_claims_nothing():
    terms = constant_terms([7, 9])
    assert len(terms.local) == 16
    np.testing.assert_allclose(terms.local, 0, atol=1e-12)
    np.testing.assert_allclose(terms.influence, 0, atol=1e-12)


def test_the_copula_is_scored_on_rows_that_it_was_not_fitted_to():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(2, 90, 20))  # 40 columns on 60 rows: what it fits is noise
    pairs, fit, read = sample(x, y), np.arange(60), np.arange(60, 90)
    plain, shrunk = copula_terms(pairs, fit, read)
    assert plain.nats < -1
    assert abs(shrunk.nats) < 0.2
    assert copula_terms(pairs, fit, fit)[0].nats > 1


def test_features_see_columns_by_rank_and_rows_by_norm():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(200, 3))
    pairs = sample(x, x)
    features = FoldFeatures.fit(pairs)(pairs)
    assert features.x.shape == (200, 3 + 2 + 3)  # ranks, norms, canonical variates
    norms = np.linalg.norm(x, axis=1)
    assert (np.argsort(features.x[:, 3]) == np.argsort(norms)).all()
    huge = sample(x * 1e300, x * 1e-300)
    np.testing.assert_allclose(FoldFeatures.fit(huge)(huge).x[:, :5], features.x[:, :5], atol=1e-9)


def test_levels_of_a_discrete_column_are_columns_and_one_column_has_no_norm():
    rng = np.random.default_rng(4)
    pairs = sample(rng.choice(["a", "b", "c"], 60), rng.normal(size=60))
    features = FoldFeatures.fit(pairs)(pairs)
    assert features.x.shape[1] == 3 + 1  # levels, the only canonical variate
    assert features.y.shape[1] == 1 + 1


def test_a_network_starts_as_its_baseline_and_the_baseline_is_the_gaussian_table():
    rng = np.random.default_rng(5)
    u, v, rho = rng.normal(size=(1, 30, 2)), rng.normal(size=(1, 30, 2)), np.array([[0.8, 0.3]])
    rows = Batched(*(torch.from_numpy(a).float() for a in (u, v, u, v)))
    critics = Critics.start(1, Sizes(2, 2, 8, 4, 8), torch.Generator().manual_seed(0))
    scores = score_table(critics, Baseline(torch.from_numpy(rho)), rows, torch.arange(30))
    np.testing.assert_allclose(scores.numpy(), gaussian_table(u[0], v[0], rho[0]), atol=1e-4)


@pytest.fixture
def model():
    """Two folds with corrections that are not 0, and rows for them."""
    rng = torch.Generator().manual_seed(1)
    critics = Critics.start(2, Sizes(3, 2, 8, 4, 8), rng)
    critics.weights += 0.3 * torch.randn(critics.weights.shape, generator=rng)
    rows = Batched(*(torch.randn(2, 12, d, generator=rng) for d in (3, 2, 1, 1)))
    return critics, Baseline(torch.tensor([[0.5], [0.0]], dtype=torch.float64)), rows


def test_folds_do_not_mix_and_groups_are_blocks_of_the_whole_table(model):
    critics, baseline, rows = model
    scores = group_scores(critics, baseline, rows, 5)
    assert scores.shape == (2, 2, 5, 5)  # the last two of 12 rows fill no group
    for fold in range(2):
        alone = Batched(*(getattr(rows, name)[fold : fold + 1] for name in ("x", "y", "u", "v")))
        table = score_table(critics.of_fold(fold), baseline.of_fold(fold), alone, torch.arange(12))
        torch.testing.assert_close(scores[fold, 0].detach(), table[:5, :5])
        torch.testing.assert_close(scores[fold, 1].detach(), table[5:10, 5:10])


def test_the_gradient_is_laid_out_like_the_weights(model):
    critics, baseline, rows = model
    loss = logistic_nce(group_scores(critics, baseline, rows, 4)).sum()
    loss.backward()
    gradient = critics.gradient()
    step = 1e-2 * gradient / gradient.norm()
    critics.weights -= step
    after = logistic_nce(group_scores(critics, baseline, rows, 4)).sum()
    assert float((loss - after).detach()) == pytest.approx(float((gradient * step).sum()), rel=0.1)


def test_the_loss_is_least_at_the_log_density_ratio():
    ratio = torch.tensor(
        [0.2, 1.8], dtype=torch.float64
    )  # chance pairs fall on two cells alike, true ones by 0.1 and 0.9
    true = ratio / 2

    def population(scores):
        """Of K = 3 chance pairs a row, exactly."""
        log_k = np.log(3)
        return (
            true * torch.nn.functional.softplus(log_k - scores) + 3 * 0.5 * torch.nn.functional.softplus(scores - log_k)
        ).sum()

    scores = ratio.log().requires_grad_()
    (gradient,) = torch.autograd.grad(population(scores), scores)
    torch.testing.assert_close(gradient, torch.zeros(2, dtype=torch.float64), atol=1e-12, rtol=0)
    group = torch.randn(4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    own = np.eye(4, dtype=bool)
    by_hand = (np.log1p(3 * np.exp(-group.numpy()[own])).sum() + np.log1p(np.exp(group.numpy()[~own]) / 3).sum()) / 4
    assert float(logistic_nce(group[None, None])[0]) == pytest.approx(by_hand)


def test_a_step_shrinks_the_weights_and_moves_by_the_rate():
    weights = torch.full((1, 2), 2.0)
    descent = AdamW(weights, decay=0.1, betas=(0.5, 0.75))
    descent.step(torch.tensor([[4.0, -1e-3]]), 0.1)  # the first step is the rate, whatever the size of the gradient
    torch.testing.assert_close(weights, torch.tensor([[2 * 0.99 - 0.1, 2 * 0.99 + 0.1]]), rtol=1e-4, atol=1e-5)
    descent.step(torch.tensor([[0.0, 0.0]]), 0.1)
    first, second = 0.5 * 0.5 * 4 / (1 - 0.5**2), 0.75 * 0.25 * 16 / (1 - 0.75**2)
    expected = (2 * 0.99 - 0.1) * 0.99 - 0.1 * first / second**0.5
    assert float(weights[0, 0]) == pytest.approx(expected, rel=1e-5)
