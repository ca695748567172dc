"""The Gaussian copula and canonical correlations: closed forms, invariances, honest errors."""

import numpy as np
import pytest

from infomax.data.variables import sample
from infomax.errors import InputError
from infomax.estimators import CanonicalCorrelations, GaussianCopula
from infomax.estimators.canonical import CanonicalPairs


def correlated(rho, n, d, rng):
    x, noise = rng.normal(size=(2, n, d))
    return x, rho * x + np.sqrt(1 - rho**2) * noise


def measured(method, x, y):
    return method.measure(sample(x, y), np.random.default_rng(0))


def nats(rho, d):
    return -0.5 * d * np.log(1 - rho**2)


@pytest.mark.parametrize(
    "method", [GaussianCopula(), CanonicalCorrelations(), CanonicalCorrelations(normal_scores=True)]
)
@pytest.mark.parametrize(("rho", "d"), [(0.0, 1), (0.6, 1), (0.9, 3), (0.7, 5)])
def test_the_closed_form_is_found_within_standard_errors(method, rho, d):
    found = method.estimate(*correlated(rho, 4000, d, np.random.default_rng(0)))
    assert abs(found.nats - nats(rho, d)) < 3 * found.standard_error


def test_the_correction_takes_the_bias_away():
    rng, truth = np.random.default_rng(1), nats(0.5, 4)
    pairs = [correlated(0.5, 60, 4, rng) for _ in range(120)]

    def found(method):
        return np.array([measured(method, x, y).nats for x, y in pairs])

    linear = found(CanonicalCorrelations(shrink=False))
    bias = 16 / 120  # d_x d_y / 2n
    assert abs(linear.mean() - truth - bias) < 4 * linear.std() / np.sqrt(120) + 0.03
    ranked, plain = found(GaussianCopula()), found(GaussianCopula(correct_bias=False))
    assert abs(ranked.mean() - truth) < 4 * ranked.std() / np.sqrt(120) + 0.02
    assert 0.8 * bias < (plain - ranked).mean() < 1.4 * bias


def test_what_ranks_cost_where_columns_nearly_determine_each_other_is_given_back_and_owned_up_to():
    rng, truth, found, without = np.random.default_rng(12), nats(0.9, 8), [], []
    mixing = rng.normal(size=(8, 8))
    for _ in range(40):
        x, y = correlated(0.9, 1000, 8, rng)
        found.append(measured(GaussianCopula(), x, y @ mixing))
        without.append(GaussianCopula()._ranked(sample(x, y @ mixing), wishart=True))
    error, bias = (np.array([f.nats for f in made]) - truth for made in (found, without))
    assert bias.mean() < -6 * bias.std() / np.sqrt(40)  # ranks alone read too little
    assert abs(error.mean()) < 0.6 * abs(bias.mean())
    assert np.mean([abs(f.nats - truth) < 2 * f.standard_error for f in found]) >= 0.9
    assert np.mean([abs(f.nats - truth) < 2 * f.standard_error for f in without]) < 0.8


def test_the_standard_error_is_the_spread_over_samples():
    rng = np.random.default_rng(2)
    for rho, d in ((0.0, 3), (0.7, 2)):
        found = [measured(GaussianCopula(), *correlated(rho, 500, d, rng)) for _ in range(80)]
        spread = np.std([f.nats for f in found])
        assert 0.75 < np.mean([f.standard_error for f in found]) / spread < 1.4


def test_increasing_maps_change_nothing_for_the_copula_and_linear_ones_nothing_for_cca():
    rng = np.random.default_rng(3)
    x, y = correlated(0.7, 200, 2, rng)
    copula = GaussianCopula().estimate(x, y).nats
    assert GaussianCopula().estimate(np.exp(x), np.column_stack([y[:, 0] ** 3, 1e300 * y[:, 1]])).nats == copula
    linear = CanonicalCorrelations().estimate(x, y).nats
    mixed = CanonicalCorrelations().estimate(x @ rng.normal(size=(2, 2)), y - 7.0).nats
    assert mixed == pytest.approx(linear, abs=1e-9)


def test_local_terms_average_to_the_plug_in_value():
    x, y = correlated(0.8, 300, 2, np.random.default_rng(4))
    found = measured(GaussianCopula(correct_bias=False), x, y)
    assert found.local.mean() == pytest.approx(found.nats, abs=1e-9)


def test_a_common_cause_explains_the_dependence_away():
    rng = np.random.default_rng(5)
    z = rng.normal(size=(3000, 2))
    x, y = z + rng.normal(size=(3000, 2)), z @ [[1.0], [-1.0]] + rng.normal(size=(3000, 1))
    assert GaussianCopula().estimate(x, y).nats > 0.2
    given = GaussianCopula().estimate(x, y, given=z)
    assert abs(given.nats) < 3 * given.standard_error


def test_conditioning_can_also_reveal():
    rng = np.random.default_rng(6)
    x, y = rng.normal(size=(2, 4000))
    z = x + y + rng.normal(size=4000)
    found = GaussianCopula().estimate(x, y, given=z)  # partial correlation -1/2
    assert abs(found.nats - nats(0.5, 1)) < 3 * found.standard_error
    assert abs(CanonicalCorrelations().estimate(x, y).nats) < 0.005


def test_a_function_of_x_is_infinite_information_with_a_caution():
    x = np.random.default_rng(7).normal(size=(50, 2))
    found = CanonicalCorrelations(shrink=False).estimate(x, x @ [[1.0], [2.0]])
    assert found.nats == np.inf
    assert "deterministic" in [caution.kind for caution in found.cautions]
    assert found.interval is None


def test_fewer_rows_than_columns_are_refused():
    x = np.random.default_rng(8).normal(size=(7, 3))
    with pytest.raises(InputError, match="at least 8 rows; got 7"):
        GaussianCopula().estimate(x, x)


def test_independent_columns_add_no_noise_when_shrunk():
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(2, 300, 20))
    y[:, 0] = 0.8 * x[:, 0] + 0.6 * y[:, 0]
    shrunk, plain = (CanonicalCorrelations(shrink=s).estimate(x, y).nats for s in (True, False))
    assert abs(shrunk - nats(0.8, 1)) < 0.12
    assert plain > nats(0.8, 1) + 0.5


def test_each_direction_that_is_given_takes_a_degree_of_freedom():
    """Independent columns given forty others: 0 on average, within 4 standard errors, only with the bias of 59 and not of 99."""
    rng = np.random.default_rng(10)
    found = [
        GaussianCopula().estimate(*rng.normal(size=(2, 100)), given=rng.normal(size=(100, 40)), level=None).nats
        for _ in range(60)
    ]
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(60)


def test_the_correlations_that_are_told_are_the_shrunk_ones():
    x, y = correlated(0.7, 200, 5, np.random.default_rng(11))
    pairs = CanonicalPairs.fit(x, y)
    for shrink, expected in ((True, pairs.unbiased()), (False, pairs.rho)):
        found = CanonicalCorrelations(shrink=shrink).estimate(x, y)
        assert found.details["correlations"] == pytest.approx(expected)
        assert found.nats == pytest.approx(-0.5 * np.log(1 - expected**2).sum())
