"""`Estimator.estimate`: what every method has without writing it."""

import warnings

import numpy as np
import pytest
from joblib import parallel_config
from scipy.stats import norm, t

from infomax.data import sample
from infomax.errors import InputError
from infomax.estimators import Caution, Discrete, Estimator, GaussianCopula, Measured, inference
from infomax.estimators.inference import check_settings, estimate_sample, estimate_with
from infomax.estimators.intervals import SUBSAMPLES, Spread


class Correlation(Estimator):
    """Gaussian mutual information of the first columns; `error` is the standard error that it claims."""

    citation = "a book"

    def __init__(self, error=None, cautions=()):
        self.error = error
        self.cautions = cautions

    @property
    def title(self):
        return "correlation"

    def measure(self, sample, rng):
        x, y = sample.x.values[:, 0], sample.y.values[:, 0]
        local = x * y
        with np.errstate(divide="ignore"):
            nats = float(-0.5 * np.log(1 - np.corrcoef(x, y)[0, 1] ** 2))
        return Measured(nats, self.error, local=local, cautions=self.cautions)


def draw(n=300, rho=0.6, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return x, rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)


def kinds(estimate):
    return [caution.kind for caution in estimate.cautions]


def test_an_estimate_with_all_that_was_asked_for():
    x, y = draw()
    found = Correlation().estimate(x, y, permutations=99, random_state=0)
    assert found.nats == pytest.approx(-0.5 * np.log(1 - np.corrcoef(x, y)[0, 1] ** 2))
    assert found.interval.kind == "subsampling"
    assert found.interval.low < 0.2231 < found.interval.high
    assert found.p_value == 0.01
    assert (found.method, found.n, found.citation) == ("correlation", 300, "a book")
    assert found.cautions == ()
    assert found.lower is None
    assert found.upper is None


def test_the_same_seed_gives_the_same_answer_and_another_does_not():
    x, y = draw()
    answers = [
        Correlation().estimate(x, y, permutations=19, random_state=seed).to_dict()
        for seed in (3, np.random.default_rng(3), 4)
    ]
    assert answers[0] == answers[1]
    assert answers[0]["interval"] != answers[2]["interval"]


def test_permutations_leave_the_interval_as_it_was():
    x, y = draw()
    one, other = (Correlation().estimate(x, y, permutations=b, random_state=3) for b in (0, 19))
    assert one.interval == other.interval
    assert one.p_value is None


def test_the_number_of_jobs_changes_nothing():
    x, y = draw(100)
    with parallel_config("threading"):
        one, two = (
            estimate_with(Correlation(), x, y, permutations=9, random_state=3, n_jobs=jobs).to_dict() for jobs in (1, 2)
        )
    assert one == two


def test_the_methods_own_error_is_used_where_it_has_one():
    x, y = draw()
    found = Correlation(error=0.01).estimate(x, y, level=0.9)
    assert found.interval.kind == "asymptotic"
    assert found.standard_error == 0.01
    assert found.interval.low == pytest.approx(found.nats - 1.6449 * 0.01, abs=1e-5)
    assert Correlation(error=0.01).estimate(x, y, level=None).interval is None
    assert Correlation().estimate(x, y, level=None).standard_error is None


def test_blocks_make_the_error_of_a_series():
    x, y = draw(50)
    x, y = np.repeat(x, 8), np.repeat(y, 8)
    single, blocks = (Correlation(error=0.01).estimate(x, y, block=block, random_state=0) for block in (1, 8))
    assert single.standard_error == 0.01
    assert blocks.standard_error == pytest.approx((draw(50)[0] * draw(50)[1]).std(ddof=1) / np.sqrt(50))


def test_a_constant_side_tells_nothing():
    x, _ = draw()
    found = Correlation().estimate(x, np.full(300, 7.0), permutations=9)
    assert found.nats == 0
    assert found.p_value == 1
    assert kinds(found) == ["constant"]
    assert "'y' of y" in found.warnings[0]


def test_a_constant_column_is_left_out():
    x, y = draw()
    found = Correlation().estimate(np.column_stack([np.ones(300), x]), y, given=np.zeros(300), random_state=0)
    assert found.nats == pytest.approx(Correlation().estimate(x, y).nats)
    assert kinds(found) == ["constant", "constant"]
    assert "'x0' of x" in found.warnings[0]


def test_dropped_rows_and_inferred_types_are_said():
    x, y = draw()
    x[:30] = np.nan
    found = Correlation().estimate(x, np.round(3 * y).astype(int), random_state=0)
    assert dict(found.dropped) == {"missing value": 30}
    assert found.n == 270
    assert kinds(found)[:2] == ["dropped rows", "inferred type"]
    assert "30 of 300 rows" in found.warnings[0]


def test_ties_and_duplicates_are_said():
    x, y = draw()
    found = Correlation().estimate(np.maximum(x, 0), y, random_state=0)
    assert kinds(found) == ["ties"]
    found = Correlation().estimate(np.append(x, x[:100]), np.append(y, y[:100]), random_state=0)
    assert kinds(found) == ["ties", "ties", "duplicated rows"]
    assert "100 of 400" in found.warnings[2]


def test_a_function_is_said_to_be_one():
    x, _ = draw()
    found = Correlation().estimate(x, np.exp(x), random_state=0)
    assert "near-deterministic" in kinds(found)


def test_an_infinite_estimate_has_no_interval():
    class Infinite(Correlation):
        def measure(self, sample, rng):
            return Measured(np.inf)

    found = Infinite().estimate(*draw(), permutations=3)
    assert found.nats == np.inf
    assert found.p_value == 1.0
    assert found.interval is None
    assert found.to_dict()["nats"] is None
    assert "ceiling" in kinds(found)


def test_few_samples_are_said():
    assert "few samples" in kinds(Correlation().estimate(*draw(30), random_state=0))
    levels = np.arange(300) % 8
    assert "few samples" in kinds(Correlation().estimate(levels, levels[::-1] ** 2, random_state=0))


def test_an_estimate_above_an_entropy_is_said_and_the_limit_is_given():
    x, _ = draw()
    rare = np.arange(300) % 30 == 0

    class Two(Correlation):
        def measure(self, sample, rng):
            return Measured(2.0, 0.1)

    found = Two().estimate(x, rare)
    assert "above entropy" in kinds(found)
    assert 0.146 < found.upper.nats < 0.35  # the entropy is 0.146
    assert found.upper.confidence == 0.95
    assert "entropy of y" in found.upper.assumption


def test_a_methods_own_word_goes_before_the_common_one():
    x, y = draw()
    own = Caution("ties", "ties do not matter here")
    found = Correlation(cautions=(own,)).estimate(np.maximum(x, 0), y, random_state=0)
    assert found.cautions == (own,)


def test_a_certificate_where_one_is_asked_for():
    x, y = draw(1000, 0.8)
    found = estimate_with(Correlation(), x, y, delta=0.1, random_state=0)
    assert 0.1 < found.lower.nats < 0.511
    assert found.lower.confidence == 0.9
    with pytest.raises(InputError, match="certificate"):
        estimate_with(Correlation(), x, y, delta=0.1, block=2)
    with pytest.raises(InputError, match="certificate"):
        estimate_with(Correlation(), x, y, given=x, delta=0.1)


def test_what_is_not_a_number_is_refused():
    class Nothing(Correlation):
        def measure(self, sample, rng):
            return Measured(float("nan"))

    with pytest.raises(InputError, match="gives no number"):
        Nothing().estimate(*draw())


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"level": 95.0}, "level"),
        ({"level": 0.0}, "level"),
        ({"permutations": -1}, "permutations"),
        ({"block": 0}, "block"),
        ({"block": 301}, "block"),
        ({"random_state": "seed"}, "random_state"),
        ({"random_state": -1}, "random_state"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        Correlation().estimate(*draw(), **wrong)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"level": "a"}, "level"), ({"permutations": 1.5}, "whole number"), ({"block": 2.5}, "whole number")]
    + [({"n_jobs": jobs}, "n_jobs") for jobs in (0, "a", 1.5)]
    + [({"delta": delta}, "delta must lie") for delta in (-0.1, 0.0, 1.0, "a", True)]
    + [({"permutations": True}, "whole number"), ({"block": True}, "whole number")],
)
def test_settings_of_the_wrong_kind_are_refused(wrong, says):
    """Asked of the check itself, as the signatures' types are enforced while tests run, and not otherwise."""
    usual = {"level": 0.95, "permutations": 0, "block": 1, "n_jobs": 1, "delta": None, "n": 300}
    with pytest.raises(InputError, match=says):
        check_settings(**usual | wrong)


def test_a_random_state_of_the_older_kind():
    """As scikit-learn's users have it: the same state gives the same answer."""
    found = [Correlation().estimate(*draw(), random_state=np.random.RandomState(3)) for _ in range(2)]
    assert found[0].interval == found[1].interval


def test_an_interval_does_not_pass_the_upper_limit():
    x, y = np.tile([0, 1], 50), np.tile([0, 0, 1, 1], 25)
    found = Correlation(error=2.0).estimate(x, y, random_state=0)
    assert found.interval.high == found.upper.nats <= np.log(2)


def test_two_equal_columns_are_not_said_to_be_above_their_entropy():
    """The estimate is the entropy's own, so rounding and chance alone tell them apart."""
    for seed in range(10):
        x = np.random.default_rng(seed).integers(0, 3, 300)
        assert not [c for c in estimate_with(Discrete(), x, x).cautions if c.kind == "above entropy"]


def test_kinds_may_be_said():
    levels = np.arange(100) % 30
    found = estimate_sample(Correlation(error=0.1), sample(levels, levels[::-1], discrete_x=True, discrete_y=True))
    assert "ties" not in kinds(found)
    assert found.upper is not None


def test_no_warning_is_raised():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Correlation().estimate(*draw(), permutations=3, random_state=0)


def test_a_test_compares_its_own_number_with_its_own_permutations():
    class Silent(Correlation):
        """Says 0 of every sample, and leaves the test to another."""

        def measure(self, sample, rng):
            return Measured(0.0, 0.1)

        def tester(self, sample):
            return Correlation()

    found = Silent().estimate(*draw(), permutations=99, random_state=0)
    assert found.nats == 0
    assert found.p_value == 0.01  # the least that 99 permutations can say: x and y are not independent


@pytest.mark.parametrize("name", ["p_value", "spread_over_subsamples"])
def test_blocks_are_told_to_the_test_and_to_the_subsamples(name, monkeypatch):
    told, known = [], getattr(inference, name)

    def listening(*args, **options):
        told.append(options["block"])
        return known(*args, **options)

    monkeypatch.setattr(inference, name, listening)
    Correlation().estimate(*draw(), permutations=1, block=8, random_state=0)
    assert told == [8]


@pytest.mark.parametrize("own", [True, False])
def test_the_upper_end_for_a_series_counts_blocks_not_pairs(own, monkeypatch):
    """It is where I - nats = reach √(error² + 2 (I - nats) / blocks): see `intervals._around`."""
    x, y = draw(400)
    monkeypatch.setattr(inference, "spread_over_subsamples", lambda *args, **options: Spread(0.1, 0.0))
    found = Correlation(error=0.1 if own else None).estimate(x, y, block=8, random_state=0)
    assert found.interval.kind == ("asymptotic" if own else "subsampling")
    reach, over = (norm.ppf(0.975) if own else t.ppf(0.975, SUBSAMPLES)), found.interval.high - found.nats
    assert over == pytest.approx(reach * np.sqrt(found.standard_error**2 + 2 * over / 50), rel=1e-9)


def test_a_series_has_no_upper_limit():
    """The limit is one for independent pairs."""
    x, y = np.tile([0, 1], 50), np.tile([0, 0, 1, 1], 25)
    assert Correlation(error=0.1).estimate(x, y, random_state=0).upper is not None
    assert Correlation(error=0.1).estimate(x, y, block=8, random_state=0).upper is None


@pytest.mark.parametrize(("delta", "confidence"), [(None, 0.95), (0.1, 0.9), (0.01, 0.99)])
def test_the_upper_limit_holds_with_the_confidence_that_was_asked_for(delta, confidence):
    x, y = np.tile([0, 1], 50), np.tile([0, 0, 1, 1], 25)
    found = estimate_with(Correlation(error=0.1), x, y, delta=delta, random_state=0)
    assert found.upper.confidence == pytest.approx(confidence)


def test_an_estimate_above_the_upper_limit_stays_in_its_interval():
    class Two(Correlation):
        def measure(self, sample, rng):
            return Measured(2.0, 0.1)

    found = Two().estimate(np.tile([0, 1], 50), np.tile([0, 0, 1, 1], 25))
    assert found.upper.nats < 1
    assert found.interval.low < found.nats == found.interval.high


def test_no_interval_rests_on_a_handful_of_blocks():
    """As over subsamples: below 20 blocks their spread says too little (at 2 blocks a nominal 95 % held in 85 %)."""
    x, y = np.random.default_rng(0).normal(size=(2, 200))
    for method, sides in ((GaussianCopula(), (x, x + y)), (Discrete(), (x > 0, y > 0))):
        assert method.estimate(*sides, block=10).interval is not None
        for block in (11, 100, 200):
            found = method.estimate(*sides, block=block)
            assert found.interval is found.standard_error is None


@pytest.mark.parametrize("y", [np.zeros(40, dtype=int), np.arange(40) % 3])
@pytest.mark.parametrize("delta", [-0.1, 2.0])
def test_delta_is_checked_before_anything_is_read(delta, y):
    with pytest.raises(InputError, match="delta must lie"):
        estimate_sample(Discrete(), sample(np.arange(40) % 2, y), delta=delta)
