"""Every estimator on what users really have: the right answer, or an error in plain words; never a wrong number.

Each estimator runs on the kinds of column that it is defined on, as its own refusal says.
"""

import numpy as np
import pandas as pd
import pytest

import infomax.estimators as room
from infomax.errors import InputError
from infomax.estimators import Estimator

RNG = np.random.default_rng(0)
N = 240
X = RNG.normal(size=N)
Y = 0.8 * X + 0.6 * RNG.normal(size=N)
TRUTH = -0.5 * np.log(1 - 0.64)
LABEL = np.where(X + RNG.normal(size=N) > 0, "high", "low")


def _all():
    members = [getattr(room, name) for name in room.__all__]
    return [m for m in members if isinstance(m, type) and issubclass(m, Estimator) and m is not Estimator]


def _quick(make):
    """Settings under which a method that trains is done in a moment."""
    settings = {"epochs": 2, "max_epochs": 2, "folds": 2, "steps": 20}
    known = make().get_params(deep=False)
    return make(**{name: value for name, value in settings.items() if name in known})


def _pair_for(make):
    """(x, y) that the method takes."""
    for x, y in ((X, Y), (LABEL, Y), (LABEL, LABEL == "low")):
        try:
            _quick(make).estimate(x, y, level=None, random_state=0)
        except InputError:
            continue
        return x, y
    raise AssertionError(f"{make.__name__} takes nothing")


ALL = pytest.mark.parametrize("make", _all(), ids=lambda make: make.__name__)


@pytest.fixture(scope="module")
def pair_of():
    found = {}

    def pair(make):
        if make not in found:
            found[make] = _pair_for(make)
        return found[make]

    return pair


def run(make, x, y, **settings):
    """The estimate, or None where the method says that it cannot."""
    try:
        found = _quick(make).estimate(x, y, level=None, random_state=0, **settings)
    except InputError:
        return None
    assert not np.isnan(found.nats)
    return found


def numbers_first(x, y):
    """The numeric side of a pair, the other one, and how to put them in order again."""
    if np.asarray(x).dtype.kind == "f":
        return x, y, lambda number, other: (number, other)
    return y, x, lambda number, other: (other, number)


@ALL
def test_all_have_a_citation_a_title_and_their_own_settings(make, pair_of):
    method = _quick(make)
    assert method.title
    assert run(make, *pair_of(make)).citation
    assert type(method)(**method.get_params(deep=False)).title == method.title


@ALL
def test_a_constant_side_tells_nothing(make, pair_of):
    x, y = pair_of(make)
    for constant in (np.ones(N), np.full(N, "same"), np.zeros((N, 2))):
        assert run(make, x, constant).nats == 0
        assert run(make, constant, y).nats == 0


@ALL
def test_a_constant_column_beside_others_changes_nothing(make, pair_of):
    x, y = pair_of(make)
    frame = pd.DataFrame({"x": x, "same": 7.0})
    assert run(make, frame, y).nats == pytest.approx(run(make, x, y).nats, abs=1e-12)


@ALL
@pytest.mark.parametrize("n", [0, 1])
def test_no_dependence_can_be_seen_in_one_pair(make, pair_of, n):
    x, y = pair_of(make)
    with pytest.raises(InputError, match="at least 2 observations"):
        _quick(make).estimate(x[:n], y[:n])


@ALL
@pytest.mark.parametrize("n", [2, 3, 10])
def test_few_pairs_give_a_finite_number_or_an_error(make, pair_of, n):
    x, y = pair_of(make)
    found = run(make, x[:n], y[:n])
    if found is not None and "constant" not in [c.kind for c in found.cautions] and found.nats != 0:
        assert found.cautions
        if np.isinf(found.nats):
            assert {c.kind for c in found.cautions} & {"deterministic", "near-deterministic"}
        else:
            assert abs(found.nats) < 12


@ALL
@pytest.mark.parametrize("wrong", ["infinite", "length", "object", "complex", "empty"])
def test_what_cannot_be_right_is_an_error(make, pair_of, wrong):
    x, y = pair_of(make)
    number, _, _ = numbers_first(x, y)
    infinite = np.where(np.arange(N) == 3, np.inf, number if np.asarray(number).dtype.kind == "f" else X)
    bad = {
        "infinite": infinite,
        "length": y[:-1],
        "object": np.array([1, "a", *range(N - 2)], dtype=object),
        "complex": X + 1j,
        "empty": np.zeros((N, 0)),
    }[wrong]
    with pytest.raises(InputError):
        _quick(make).estimate(x, bad)
    with pytest.raises(InputError):
        _quick(make).estimate(bad, y)


@ALL
def test_missing_entries_are_left_out_and_said(make, pair_of):
    x, y = pair_of(make)
    numeric = np.asarray(y).dtype.kind == "f"
    holes = pd.Series(y, dtype=float if numeric else object).where(np.arange(N) % 10 != 0)
    found = run(make, x, holes)
    kept = np.arange(N) % 10 != 0
    assert dict(found.dropped) == {"missing value": 24}
    assert found.n == 216
    assert "dropped rows" in [caution.kind for caution in found.cautions]
    assert found.nats == pytest.approx(run(make, x[kept], y[kept]).nats, abs=1e-12)


@ALL
@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30, 1e300])
def test_units_do_not_matter(make, pair_of, scale):
    """A power of ten times, so up to rounding; nothing over- or underflows."""
    x, y = pair_of(make)
    number, other, ordered = numbers_first(x, y)
    if np.asarray(number).dtype.kind != "f":
        pytest.skip("levels have no units")
    usual, scaled = run(make, x, y).nats, run(make, *ordered(number * scale, other)).nats
    assert scaled == pytest.approx(usual, abs=0.02)


@ALL
def test_a_far_offset_does_not_matter_but_for_rounding(make, pair_of):
    x, y = pair_of(make)
    number, other, ordered = numbers_first(x, y)
    if np.asarray(number).dtype.kind != "f":
        pytest.skip("levels have no units")
    usual, moved = run(make, x, y).nats, run(make, *ordered(number + 1e6, other)).nats
    assert moved == pytest.approx(usual, abs=0.02)


@ALL
def test_heavy_tails_of_independent_columns_show_nothing(make, pair_of):
    rng = np.random.default_rng(1)
    x, y = pair_of(make)
    heavy = rng.standard_cauchy(N) ** 3
    other = rng.standard_cauchy(N) if np.asarray(x).dtype.kind == "f" else rng.permutation(x)
    if np.asarray(y).dtype.kind != "f":
        heavy = rng.permutation(y)
    found = run(make, other, heavy)
    assert abs(found.nats) < 0.2


@ALL
def test_duplicated_rows_are_an_answer_with_a_caution(make, pair_of):
    x, y = pair_of(make)
    found = run(make, np.repeat(x, 2), np.repeat(y, 2))
    if found is None:
        return
    assert -0.2 < found.nats < 9  # neighbours at distance 0 say much too much; an error would be as good
    if "f" in (np.asarray(x).dtype.kind, np.asarray(y).dtype.kind):
        kinds = [caution.kind for caution in found.cautions]
        assert "duplicated rows" in kinds


@ALL
def test_rounded_and_integer_columns_stay_near(make, pair_of):
    """A tenth of rounding adds 1/1200 to the variance and costs ½ · 0.64/0.36 / 1200 < 0.001 nats; what ties do to a method
    beyond that must stay within 4 standard errors of the sample's own mean log ratio, whose variance is ρ²."""
    x, y = pair_of(make)
    if np.asarray(x).dtype.kind != "f" or np.asarray(y).dtype.kind != "f":
        pytest.skip("levels are not rounded")
    usual = run(make, x, y).nats
    for values in (np.round(x, 1), np.round(100 * x).astype(int)):
        found = run(make, values, y)
        if found is not None:
            assert found.nats == pytest.approx(usual, abs=0.001 + 4 * 0.8 / np.sqrt(N))


@ALL
def test_the_columns_order_and_sign_do_not_matter(make, pair_of):
    x, y = pair_of(make)
    if np.asarray(x).dtype.kind != "f" or np.asarray(y).dtype.kind != "f":
        pytest.skip("levels have no sign")
    usual = run(make, x, y).nats
    assert run(make, -x, y).nats == pytest.approx(usual, abs=0.05)
    assert run(make, y, x).nats == pytest.approx(usual, abs=0.05)


@ALL
def test_the_answer_does_not_change_the_arrays(make, pair_of):
    x, y = (np.array(side) for side in pair_of(make))
    before = x.copy(), y.copy()
    run(make, x, y)
    assert np.array_equal(before[0], x)
    assert np.array_equal(before[1], y)


def test_a_constant_feature_of_a_rare_target():
    """scikit-learn #30772: 0.2146 nats were reported for a constant feature, where the target's entropy is 0.001."""
    target = np.zeros(2000, dtype=bool)
    target[7] = True
    for make in _all():
        found = run(make, np.zeros(2000), target)
        assert found is None or found.nats == 0
    nearly = np.zeros(2000)
    nearly[:20] = RNG.normal(size=20)
    entropy = -(1 / 2000 * np.log(1 / 2000) + 1999 / 2000 * np.log(1999 / 2000))
    for make in _all():
        found = run(make, nearly, target)
        if found is not None and found.nats > entropy + 1e-6:
            assert "above entropy" in [caution.kind for caution in found.cautions]
            assert found.nats < 0.05


@ALL
def test_a_function_of_the_other_side_is_large_and_said(make, pair_of):
    x, y = pair_of(make)
    if np.asarray(x).dtype.kind != "f" or np.asarray(y).dtype.kind != "f":
        pytest.skip("levels")
    found = run(make, x, x)
    if make.__name__ != "Constant":
        assert found.nats > 1.5
    assert {caution.kind for caution in found.cautions} & {"deterministic", "near-deterministic"}
