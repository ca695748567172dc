"""The neural critic as an estimator: nothing leaks, step 0 is the copula, the same seed gives the same number."""

import numpy as np
import pytest

from infomax.data.variables import sample
from infomax.data.worlds import beyond_normal
from infomax.errors import InputError
from infomax.estimators import Critic
from infomax.estimators.canonical import gaussian_table
from infomax.estimators.critic.features import FoldFeatures
from infomax.estimators.critic.held_out import Terms, info_nce_terms
from infomax.estimators.critic.reading import CrossFit

SMALL = {"folds": 2, "steps": 40, "batch": 64, "width": 8}


@pytest.fixture(scope="module")
def pairs():
    world = next(w for w in beyond_normal() if w.name == "student-identity-3-3-2")
    return sample(*world.sample(600, 5000))


@pytest.fixture(scope="module")
def product():
    """y shows the product of two columns of x, about 1.1 nats, of which ranks and norms see little."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(1000, 3)), rng.normal(size=(1000, 3))
    y[:, 0] = x[:, 0] * x[:, 1] + 0.2 * y[:, 0]
    return sample(x, y)


def test_no_row_that_is_reported_on_touches_the_critic_that_reports(pairs):
    critic = Critic(**SMALL)
    folds = critic.split(pairs, np.random.default_rng(0))
    values = pairs.y.values.copy()
    values[folds[0].report] = 1e6 * np.random.default_rng(1).normal(size=(len(folds[0].report), 3))
    changed = sample(pairs.x.values, values)
    before, after = (critic.cross_fit(s, folds, np.random.default_rng(2)) for s in (pairs, changed))
    chosen = len(folds[0].choose)
    np.testing.assert_array_equal(before.choice.local[:chosen], after.choice.local[:chosen])
    seen = len(np.intersect1d(folds[0].fit, folds[1].report))
    np.testing.assert_array_equal(before.training.local[:seen], after.training.local[:seen])
    assert not np.array_equal(before.training.local[seen:], after.training.local[seen:])
    assert after.report.local[folds[0].report].mean() < before.report.local[folds[0].report].mean()


def test_rows_that_choose_are_not_fitted_to(product):
    critic = Critic(**SMALL)
    folds = critic.split(product, np.random.default_rng(0))
    rows = np.arange(len(product))
    half = len(folds[0].choose) // 2
    rows[folds[0].choose[:half]] = folds[0].choose[half : 2 * half]
    changed = product.rows(rows)
    before, after = (critic.cross_fit(s, folds, np.random.default_rng(2)) for s in (product, changed))
    assert before.steps[0] == after.steps[0] == 40  # the choice is the same, so the critic must be too
    np.testing.assert_array_equal(before.report.local[folds[0].report], after.report.local[folds[0].report])


def test_step_zero_is_the_gaussian_answer(pairs):
    critic = Critic(folds=3, steps=0)
    folds = critic.split(pairs, np.random.default_rng(0))
    found = critic.cross_fit(pairs, folds, np.random.default_rng(1))
    assert found.steps == (0, 0, 0)
    for fold in folds:
        features = FoldFeatures.fit(pairs.rows(fold.fit))
        rows, rho = features(pairs.rows(fold.report)), features.rho
        u, v = rows.u, rows.v
        terms = info_nce_terms(lambda g, u=u, v=v, rho=rho: gaussian_table(u[g], v[g], rho), len(fold.report))
        np.testing.assert_allclose(found.report.local[fold.report], terms.local, atol=1e-3)


def test_training_finds_what_correlations_do_not_see(product):
    found = Critic(folds=2, steps=160).measure(product, np.random.default_rng(0))
    assert found.details["baseline"] < 0.3
    assert all(step > 0 for step in found.details["steps"])
    assert 0.6 < found.details["held_out"] <= found.nats <= found.details["training"]
    assert found.nats == (found.details["held_out"] + found.details["training"]) / 2
    assert len(found.local) == len(product)
    assert found.local.mean() == pytest.approx(found.details["held_out"])


def test_the_same_seed_gives_the_same_number(pairs):
    first, again, other = (Critic(**SMALL).measure(pairs, np.random.default_rng(seed)).nats for seed in (3, 3, 4))
    assert first == again != other


def test_independent_sides_read_as_zero():
    rng = np.random.default_rng(6)
    for seed in range(3):
        x, y = rng.normal(size=(400, 4)), rng.exponential(size=(400, 3))
        found = Critic(**SMALL).measure(sample(x, y), np.random.default_rng(seed))
        assert abs(found.nats) < 2 * found.standard_error + 1e-6


def test_an_overfitted_critic_widens_the_error_and_says_so():
    terms = {
        name: Terms(np.full(9, v), np.full(9, v), np.zeros(9), 4.0) for name, v in (("report", 1.0), ("training", 1.6))
    }
    found = CrossFit(choice=terms["report"], steps=(9,), baseline=0.5, **terms).measured()
    assert found.nats == pytest.approx(1.3)
    assert found.standard_error == pytest.approx(0.3)
    assert [caution.kind for caution in found.cautions] == ["train-test gap"]


def test_kinds_of_any_sort_are_taken(pairs):
    levels = np.where(pairs.x.values[:, 0] > 0, "up", "down")
    found = Critic(**SMALL).estimate(np.column_stack([levels, levels]), pairs.x.values)
    assert 0.3 < found.nats < 0.9  # log 2, less what 40 steps leave


def test_more_rows_than_asked_for_are_thinned_in_order(pairs):
    kept = Critic(rows=250).subset(pairs, np.random.default_rng(0))
    assert len(kept) == 250
    position = [int(np.flatnonzero(pairs.x.values[:, 0] == value)[0]) for value in kept.x.values[:, 0]]
    assert position == sorted(position)


def test_what_it_is_not_made_for_is_refused(pairs):
    with pytest.raises(InputError, match="at least 200 pairs"):
        Critic().estimate(pairs.x.values[:50], pairs.y.values[:50])
    with pytest.raises(InputError, match="no conditional form"):
        Critic().estimate(pairs.x.values, pairs.y.values, given=pairs.x.values)
    with pytest.raises(InputError, match="folds must be 2 or more"):
        Critic(folds=1).estimate(pairs.x.values, pairs.y.values)
    for name, wrong in {"negatives": 0, "batch": 1, "steps": 0, "learning_rate": -1.0, "weight_decay": -0.5}.items():
        with pytest.raises(InputError, match=f"{name} must be a"):
            Critic(**{name: wrong}).estimate(pairs.x.values, pairs.y.values)
