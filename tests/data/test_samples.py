"""`sample`: the same columns in any container, their kinds, what is dropped, and what is refused."""

import datetime as dt
import decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import torch

from infomax.data import Sample, Variable, sample
from infomax.errors import InputError

FLOATS = [0.5, -1.25, 3.0, 2.5, -0.75, 8.0]
LEVELS = list("abbcaa")
CODES = [0.0, 1.0, 1.0, 2.0, 0.0, 0.0]
Y = np.arange(6) / 7


@pytest.mark.parametrize(
    "x",
    [
        FLOATS,
        tuple(FLOATS),
        [np.float64(v) for v in FLOATS],
        [torch.tensor(v) for v in FLOATS],
        [[v] for v in FLOATS],
        np.array(FLOATS),
        np.array(FLOATS)[:, None],
        np.array(FLOATS, dtype=np.float16),
        np.array(FLOATS, dtype=object),
        np.ma.array(FLOATS),
        pd.Series(FLOATS),
        pd.DataFrame({"x": FLOATS}),
        pl.Series(FLOATS),
        pl.DataFrame({"x": FLOATS}),
        pa.array(FLOATS),
        pa.chunked_array([FLOATS[:2], FLOATS[2:]]),
        pa.table({"x": FLOATS}),
        torch.tensor(FLOATS, requires_grad=True),
        torch.tensor(FLOATS).bfloat16(),
        {"x": FLOATS},
        (v for v in FLOATS),
        [decimal.Decimal(v) for v in FLOATS],
    ],
    ids=lambda x: type(x).__module__.split(".")[0] + "." + type(x).__name__,
)
def test_floats_of_any_container(x):
    found = sample(x, Y)
    assert found.x.values.ravel().tolist() == FLOATS
    assert found.x.kind == "continuous"
    assert not found.cautions
    assert not found.dropped


@pytest.mark.parametrize(
    "x",
    [
        LEVELS,
        np.array(LEVELS),
        np.array(LEVELS, dtype=object),
        pd.Series(LEVELS),
        pd.Series(LEVELS, dtype="string"),
        pd.Series(LEVELS, dtype="category"),
        pl.Series(LEVELS),
        pl.Series(LEVELS, dtype=pl.Categorical),
        pl.Series(LEVELS, dtype=pl.Enum(["a", "b", "c"])),
        pa.array(LEVELS),
        pa.array([level.encode() for level in LEVELS]),
        pa.array(LEVELS).dictionary_encode(),
    ],
    ids=lambda x: type(x).__module__.split(".")[0] + "." + str(getattr(x, "dtype", getattr(x, "type", "list"))),
)
def test_levels_of_any_container(x):
    found = sample(x, Y)
    assert found.x.values.ravel().tolist() == CODES
    assert found.x.kind == "discrete"


@pytest.mark.parametrize(
    "x",
    [
        [dt.date(2020, 1, d) for d in (1, 2, 4, 8, 16, 31)],
        pd.Series(pd.to_datetime([f"2020-01-{d:02}" for d in (1, 2, 4, 8, 16, 31)])),
        pd.Series(pd.to_datetime([f"2020-01-{d:02}" for d in (1, 2, 4, 8, 16, 31)])).dt.tz_localize("UTC"),
        np.array([1, 2, 4, 8, 16, 31], dtype="m8[D]"),
        pl.Series([dt.date(2020, 1, d) for d in (1, 2, 4, 8, 16, 31)]),
        np.array([dt.date(2020, 1, d) for d in (1, 2, 4, 8, 16, 31)], dtype="M8[D]"),
    ],
)
def test_dates_and_spans_are_continuous_times_since_the_first(x):
    found = sample(x, Y).x
    assert found.kind == "continuous"
    values = found.values.ravel()
    assert (values / values[1]).tolist() == [0, 1, 3, 7, 15, 30]


def test_months_and_years_are_dates_too():
    assert (np.diff(sample(np.arange("2020", "2026", dtype="M8[Y]"), Y).x.values.ravel()) > 0).all()


def test_times_of_day_are_their_seconds():
    times = pa.array([dt.time(0, 0, second) for second in range(6)], pa.time32("s"))
    assert sample(times, Y).x.values[:, 0].tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("unit", ["h", "m"])
def test_hours_and_minutes_are_dates_too(unit):
    hours = np.array(["2020-01-01T00", "2020-01-01T01", "2020-01-01T03"], dtype=f"datetime64[{unit}]")
    values = sample(hours, Y[:3]).x.values[:, 0]
    assert (values / values[1]).tolist() == [0, 1, 3]


def test_nanoseconds_are_kept_apart():
    ticks = pd.Series(pd.to_datetime(1_700_000_000_000_000_000 + np.arange(6), unit="ns"))
    assert sample(ticks, Y).x.values.ravel().tolist() == [0, 1, 2, 3, 4, 5]


def test_large_integers_are_kept_apart():
    x = np.array([2**62 + 3, 2**62 + 1, 2**62, 2**62 + 9, 2**62 + 5, 2**62 + 2])
    assert len(np.unique(sample(x, Y).x.values)) == 6


def test_kinds_side_by_side():
    frame = pd.DataFrame({"height": FLOATS, "colour": LEVELS, "old": [True, False] * 3})
    found = sample(frame, Y, given=np.array(LEVELS)[:, None])
    assert found.x.names == ("height", "colour", "old")
    assert found.x.discrete.tolist() == [False, True, True]
    assert found.x.kind == "mixed"
    assert found.z is not None
    assert found.z.kind == "discrete"
    assert found.y.names == ("y",)


def test_names_are_kept_or_numbered():
    assert sample(pd.Series(FLOATS, name="height"), Y).x.names == ("height",)
    assert sample(pl.Series("height", FLOATS), Y).x.names == ("height",)
    assert sample(np.zeros((6, 2)), Y).x.names == ("x0", "x1")
    assert sample(pd.DataFrame(np.zeros((6, 2)), columns=["a", "a"]), Y).x.names == ("a", "a")


@pytest.mark.parametrize(
    ("x", "kind", "said"),
    [
        (np.arange(100) % 2, "discrete", None),
        (np.arange(100) % 10, "discrete", "integers, taken as discrete"),
        (np.arange(100) % 11, "continuous", "integers, taken as continuous"),
        ((np.arange(100) % 10).astype(float), "continuous", "stored as floats"),
        ((np.arange(100) % 10) + 0.5, "continuous", None),
        (np.zeros(100), "continuous", None),
    ],
)
def test_integers_are_levels_where_each_is_seen_often(x, kind, said):
    found = sample(x, np.linspace(0, 1, 100))
    assert found.x.kind == kind
    if said is None:
        assert found.cautions == ()
    else:
        assert found.cautions[0][0] == "inferred type"
        assert said in found.cautions[0][1]
        assert "discrete_x=" in found.cautions[0][1]


def test_the_user_overrules_the_kind_and_hears_no_guess():
    levels = np.arange(100) % 10
    found = sample(levels, levels, levels, discrete_x=False, discrete_y=True, discrete_given=[False])
    assert (found.x.kind, found.y.kind, found.z and found.z.kind) == ("continuous", "discrete", "continuous")
    assert found.cautions == ()
    assert sample(np.repeat([0.5, 1.5, 7.25], 2), Y, discrete_x=True).x.values.ravel().tolist() == [0, 0, 1, 1, 2, 2]
    both = sample(np.stack([levels, levels], 1), levels, discrete_x=[None, False])
    assert both.x.discrete.tolist() == [True, False]


@pytest.mark.parametrize("container", [list, np.array])
def test_truth_values_are_levels_and_no_guess(container):
    found = sample(container([True, False, True, False, True, False]), Y)
    assert found.x.kind == "discrete"
    assert not found.cautions


@pytest.mark.parametrize("wrong", [[True, False], "yes", 1, [1]])
def test_an_overrule_that_fits_no_column_is_refused(wrong):
    with pytest.raises(InputError, match="discrete_x must be a bool"):
        sample(FLOATS, Y, discrete_x=wrong)


def test_levels_cannot_be_made_numbers():
    with pytest.raises(InputError, match="can only be discrete"):
        sample(LEVELS, Y, discrete_x=False)


@pytest.mark.parametrize(
    ("x", "y", "given"),
    [
        ([1.5, None, 3.5, float("nan"), 5.5, 6.5], Y, None),
        (pd.Series([1, None, 3, None, 5, 6], dtype="Int64"), Y, None),
        (np.array([[1.0, 1], [np.nan, 2], [3, 3], [4, np.nan], [5, 5], [6, 6]]), Y, None),
        (Y, ["a", None, "b", None, "a", "c"], None),
        (Y, pd.Series(["a", None, "b", None, "a", "c"], dtype="category"), None),
        (Y, pl.Series([True, None, False, None, True, True]), None),
        (Y, [1.5, None, 3.5, 4.5, 5.5, 6.5], [1.5, 2.5, 3.5, np.nan, 5.5, 6.5]),
        (pd.Series(pd.to_datetime(["2020-01-01", None, "2020-01-02", None, "2021", "2022"], format="mixed")), Y, None),
    ],
)
def test_rows_with_a_missing_entry_are_dropped_and_counted(x, y, given):
    found = sample(x, y, given)
    assert dict(found.dropped) == {"missing value": 2}
    assert len(found) == len(found.x) == len(found.y) == 4
    kept = found.x if x is Y else found.y
    if x is Y or y is Y:
        assert kept.values.ravel().tolist() == Y[[0, 2, 4, 5]].tolist()


@pytest.mark.parametrize("kind", [float, int])
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_masked_entries_are_missing(kind, shape):
    masked = np.ma.masked_array(np.array([1, -9999, 3, 4], kind), mask=[0, 1, 0, 0]).reshape(shape)
    found = sample(masked, np.arange(4.0))
    assert found.x.values.shape == (3, 1)
    assert sum(found.dropped.values()) == 1


def test_codes_count_only_the_levels_that_are_left():
    found = sample(["z", "a", "b", "a", "b", "b"], [np.nan, 1.5, 2.5, 3.5, 4.5, 5.5])
    assert found.x.values.ravel().tolist() == [0, 1, 0, 1, 1]


@pytest.mark.parametrize("scale", [1e300, 1.7e308, 1e-300, 5e-324])
def test_extreme_scales_are_taken_back_by_a_power_of_two(scale):
    x = np.array([1.0, -1.0, 0.5, 0.25, 0.0, -0.5]) * scale
    values = sample(x, Y).x.values.ravel()
    assert np.isfinite(values**2).all()
    assert 0.5 <= np.abs(values).max() <= 1
    assert np.array_equal(np.sign(values), np.sign(x))
    assert np.array_equal(np.frexp(values)[0], np.frexp(x)[0])


def test_a_common_scale_is_left_alone():
    assert sample(np.array(FLOATS) * 1e30, Y).x.values.ravel().tolist() == (np.array(FLOATS) * 1e30).tolist()


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (None, "x is 'None'"),
        ("abcdef", "give an array"),
        ({1.0, 2.0}, "give an array"),
        (7, "x is int"),
        (np.float64(3), r"shape \(\)"),
        (np.zeros((6, 2, 2)), r"shape \(6, 2, 2\)"),
        (np.zeros((6, 0)), "no column"),
        ([], "x 0, y 6"),
        (np.zeros(5), "x 5, y 6"),
        (np.zeros((1, 6)), "did you mean its transpose"),
        ([1.0, 2.0, np.inf, 4.0, 5.0, 6.0], "Row 2 of column 'x' of x is infinite"),
        ([None, -np.inf, 2.0, 4.0, 5.0, 6.0], "Row 1 of column 'x' of x is infinite"),
        (np.array(FLOATS) + 1j, "complex"),
        (torch.tensor(FLOATS) + 1j, "complex"),
        ([1j] * 6, "mixed or unknown"),
        ([1, "a", 2, 3, 4, 5], "mixed or unknown"),
        (np.array([1, "a", 2, 3, 4, 5], dtype=object), "mixed or unknown"),
        (pd.Series([1, "a", 2.5, 3, 4, 5]), "mixed or unknown"),
        ([[1, 2], [3]] * 3, "differ in length"),
        ([[1], 2] * 3, "differ in length"),
        (pl.Series([[1, 2]] * 6), "give numbers"),
        (pd.Series(FLOATS, index=range(1, 7)), "different pandas indexes"),
        ([None] * 6, "at least 2 observations, got 0 .6 left out"),
        ([1.5, None, None, None, None, None], "got 1 .5 left out"),
        ({"a": FLOATS, "b": FLOATS[:5]}, "different lengths"),
    ],
)
def test_what_cannot_be_right_is_refused(x, says):
    with pytest.raises(InputError, match=says):
        sample(x, pd.Series(Y))


def test_a_sparse_matrix_is_refused():
    from scipy.sparse import csr_array

    with pytest.raises(InputError, match="toarray"):
        sample(csr_array(np.eye(6)), Y)


def test_a_sparse_tensor_is_refused():
    with pytest.raises(InputError, match="to_dense"):
        sample(torch.eye(3).to_sparse(), np.arange(3.0))


def test_integers_beyond_all_types_are_refused():
    with pytest.raises(InputError, match="mixed or unknown types"):
        sample([10**30, 10**31, 10**32], np.arange(3.0))


def test_one_pair_is_refused():
    with pytest.raises(InputError, match="at least 2 observations, got 1"):
        sample([1.0], [2.0])


def test_given_of_another_length_is_refused():
    with pytest.raises(InputError, match="x 6, y 6, given 5"):
        sample(FLOATS, Y, given=FLOATS[:5])


def test_rows_and_shuffled_pairs():
    found = sample(FLOATS, LEVELS, given=Y)
    some = found.rows(np.array([3, 0]))
    assert some.x.values.ravel().tolist() == [2.5, 0.5]
    assert some.y.values.ravel().tolist() == [2, 0]
    assert some.z is not None
    assert some.z.values.ravel().tolist() == [Y[3], Y[0]]
    turned = found.with_y(np.arange(6)[::-1])
    assert turned.x is found.x
    assert turned.y.values.ravel().tolist() == CODES[::-1]


def test_codes_of_several_discrete_columns():
    values = np.array([[0.0, 1, 9.5], [1, 0, 8.5], [0, 1, 7.5], [0, 0, 6.5]])
    variable = Variable(values, np.array([True, True, False]), ("a", "b", "c"))
    assert variable.codes().tolist() == [1, 2, 1, 0]
    assert isinstance(sample(values, values), Sample)
