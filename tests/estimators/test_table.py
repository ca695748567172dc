"""Many questions to one table: which, answered how, by whom, and what becomes of those without an answer."""

from __future__ import annotations

import json
import os
import signal
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from joblib import parallel_config

from infomax.data.typed_table import read_table
from infomax.errors import InputError
from infomax.estimators import GaussianCopula, Ross
from infomax.estimators.table import _some_rows, mutual_information_table
from infomax.estimators.table_questions import Question, against, all_pairs, estimate_sample

FAST = {"level": None}  # no interval: subsamples take most of the time


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(size=400)
    return pd.DataFrame(
        {
            "x": x,
            "near": x + 0.5 * rng.normal(size=400),
            "far": x + 3.0 * rng.normal(size=400),
            "alone": rng.normal(size=400),
            "level": np.where(x > 0, "high", "low"),
            "holes": np.where(rng.random(400) < 0.25, np.nan, x + rng.normal(size=400)),
            "same": 1,
        }
    )


def found(result):
    return {str(given.question): given.estimate.nats for given in result.answers if given.estimate}


def test_all_against_a_target_are_ranked_with_q_values(frame):
    result = mutual_information_table(frame, target="x", **FAST)
    assert [given.question.x[0] for given in result.answers][:2] == ["near", "level"]
    assert all(given.question.y == ("x",) for given in result.answers)
    nats = [given.estimate.nats for given in result.answers]
    assert nats == sorted(nats, reverse=True)
    q = {given.question.x[0]: given.q_value for given in result.answers}
    assert max(q["near"], q["level"], q["holes"], q["far"]) < 0.01
    assert q["alone"] > 0.05
    assert result.left_out == {"same": "constant"}
    assert abs(found(result)["near and x"] - 0.5 * np.log(5)) < 0.15


def test_a_row_is_left_out_only_where_it_misses_an_entry(frame):
    result = mutual_information_table(frame, columns=["x", "near", "holes"], **FAST)
    lost = int(frame["holes"].isna().sum())
    rows = {str(given.question): (given.estimate.n, dict(given.estimate.dropped)) for given in result.answers}
    assert rows["x and near"] == (400, {})
    assert rows["near and holes"] == rows["x and holes"] == (400 - lost, {"missing value": lost})


def test_all_pairs_are_each_asked_once():
    asked = [(q.x[0], q.y[0]) for q in all_pairs(["a", "b", "c", "d"], given=["d"])]
    assert asked == [("a", "b"), ("a", "c"), ("b", "c")]


def test_what_is_given_is_not_asked_about():
    assert [question.x for question in against("t", ["a", "t", "z"], ["z"])] == [("a",)]


def test_an_answer_depends_on_its_question_alone(frame):
    alone = mutual_information_table(frame, x="x", y="near", rows=300)
    among = mutual_information_table(frame, columns=["far", "near", "x"], target="near", rows=300)
    shared = mutual_information_table(frame, columns=["far", "near", "x"], target="near", rows=300, n_jobs=2)
    one = alone.answers[0].estimate
    assert one.interval is not None
    assert among.answers[0].question.x == ("x",)
    assert (one.nats, one.interval, one.p_value) == (
        among.answers[0].estimate.nats,
        among.answers[0].estimate.interval,
        among.answers[0].estimate.p_value,
    )
    assert [given.estimate for given in among.answers] == [given.estimate for given in shared.answers]


def test_draws_of_the_answers_are_those_of_the_seed():
    rng = np.random.default_rng(0)
    x = rng.normal(size=80)
    data = pa.table({"a": x, "b": x + 3 * rng.normal(size=80)})

    def p_value(seed):
        (answer,) = mutual_information_table(data, seed=seed, permutations=200, **FAST).answers
        return answer.estimate.p_value

    assert p_value(0) == p_value(0)
    assert len({p_value(seed) for seed in range(5)}) > 1


def test_block_and_delta_reach_each_question(frame, monkeypatch):
    said = []

    def noting(*told, **options):
        said.append((options["block"], options["delta"]))
        return estimate_sample(*told, **options)

    monkeypatch.setattr(sys.modules["infomax.estimators.table_questions"], "estimate_sample", noting)
    mutual_information_table(frame, x="x", y="far", block=4, delta=0.1, permutations=0)
    assert set(said) == {(4, 0.1)}


def test_several_columns_a_side_and_a_given_one(frame):
    both = mutual_information_table(frame, x=["near", "far"], y="x", method=GaussianCopula(), **FAST)
    assert found(both)["near, far and x"] > found(mutual_information_table(frame, x="far", y="x", **FAST))["far and x"]
    assert both.answers[0].test == "199 permutations of the estimate"
    assert both.answers[0].estimate.p_value == 1 / 200
    beyond = mutual_information_table(frame, x="far", y="level", given="x", permutations=0, **FAST)
    assert abs(found(beyond)["far and level, given x"]) < 0.1  # level is a function of x
    assert beyond.answers[0].estimate.p_value is None


def test_columns_are_taken_as_asked(frame):
    frame = frame.assign(code=np.arange(400) % 4)
    inferred = mutual_information_table(frame, x="code", y="level", **FAST)
    assert inferred.answers[0].estimate.method.startswith("contingency")
    asked = mutual_information_table(frame, x="code", y="level", continuous=["code"], **FAST)
    assert not asked.answers[0].estimate.method.startswith("contingency")


def test_a_question_without_an_answer_says_why_and_harms_no_other(frame):
    frame = frame.assign(endless=np.where(np.arange(400) == 7, np.inf, frame["x"]))
    result = mutual_information_table(frame, target="x", columns=["endless", "near"], **FAST)
    assert [given.estimate is None for given in result.answers] == [False, True]
    assert "infinite" in result.answers[1].problem
    assert result.answers[0].q_value == result.answers[0].estimate.p_value  # one test, not two
    json.dumps(result.to_dict(), allow_nan=False)


def test_some_rows_are_said_to_be_some(frame):
    result = mutual_information_table(frame, x="x", y="near", rows=100, **FAST)
    assert (result.rows, result.used, result.answers[0].estimate.n) == (400, 100, 100)
    assert "subset of rows" in {caution.kind for caution in result.answers[0].estimate.cautions}
    whole = mutual_information_table(frame, x="x", y="near", rows=None, **FAST)
    assert (whole.used, whole.answers[0].estimate.n) == (400, 400)


def test_blocks_are_drawn_as_a_run_and_have_no_quick_test(frame):
    frame = frame.assign(time=np.arange(400.0))
    result = mutual_information_table(frame, x="time", y="x", rows=60, block=10, **FAST)
    assert result.answers[0].test == "199 permutations of the estimate"
    many = mutual_information_table(frame, target="x", columns=["near", "far"], block=10, **FAST)
    assert {given.estimate.p_value for given in many.answers} == {None}
    assert all("no p-value" in {c.kind for c in given.estimate.cautions} for given in many.answers)


def test_a_run_of_rows_may_begin_with_the_first_and_end_with_the_last():
    whole = read_table(pa.table({"a": np.arange(10), "b": np.arange(10) * 3 % 10}))
    questions, ends = [Question(("a",), ("b",), ())], set()
    for seed in range(60):
        taken = _some_rows(whole, questions, 7, 2, seed).columns.column("a").to_pylist()
        assert taken == list(range(taken[0], taken[0] + 7))
        ends.add(taken[-1])
    assert ends == {6, 7, 8, 9}


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"x": "x"}, "two sides"),
        ({"x": "x", "y": "z"}, "no column 'z'"),
        ({"x": "x", "y": ["near", "x"]}, "two sides of the question"),
        ({"x": "x", "y": "near", "given": "near"}, "two sides of the question"),
        ({"x": "x", "y": "near", "target": "far"}, "one or the other"),
        ({"target": "x", "columns": ["same"]}, "no pair of columns to ask about (left out: 'same': constant)"),
        ({"x": "x", "y": "near", "rows": 1}, "at least 2"),
        ({"x": "x", "y": "near", "method": "magic"}, "method must be one of"),
        ({"x": "x", "y": "near", "continuous": ["level"]}, "holds words"),
    ],
)
def test_what_cannot_be_asked_is_refused(frame, asked, words):
    with pytest.raises(InputError) as caught:
        mutual_information_table(frame, **asked)
    assert words in str(caught.value)


def test_ctrl_c_keeps_what_is_done(frame):
    def stop(done, total):
        assert total == 4
        if done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    result = mutual_information_table(
        frame, target="x", columns=["near", "far", "alone", "level"], progress=stop, **FAST
    )
    assert result.interrupted
    assert (len(result.answers), result.asked) == (2, 4)


def test_a_dask_cluster_gives_the_same_answers(frame, tmp_path):
    dask = pytest.importorskip("distributed")
    frame.to_csv(tmp_path / "t.csv", index=False)
    table = read_table(tmp_path / "t.csv")
    ask = {"target": "x", "columns": ["near", "far", "level"], **FAST}
    here = mutual_information_table(table, **ask)
    with (
        dask.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        dask.Client(cluster),
        parallel_config(backend="dask"),
    ):
        table.file.rename(tmp_path / "elsewhere")  # another machine has no such file
        there = mutual_information_table(table, n_jobs=None, **ask)
    assert [given.estimate for given in there.answers] == [given.estimate for given in here.answers]


@pytest.mark.parametrize("step", [0.01, 0.05, 0.2])
def test_rounding_two_independent_columns_makes_no_information(step):
    rng = np.random.default_rng(1)
    x, y = (np.round(rng.normal(size=2000) / step) * step for _ in range(2))
    result = mutual_information_table(pd.DataFrame({"x": x, "y": y}), x="x", y="y", rows=None)
    estimate = result.answers[0].estimate
    assert abs(estimate.nats) < 4 * estimate.standard_error


def test_a_method_by_name_or_object_is_used(frame):
    by_name = mutual_information_table(frame, x="x", y="level", method="ross", **FAST)
    by_object = mutual_information_table(frame, x="x", y="level", method=Ross(k=7), **FAST)
    assert "k = 7" in by_object.answers[0].estimate.method
    assert by_name.settings["method"] == "ross"
    assert found(by_name) != found(by_object)


def test_columns_named_by_numbers():
    """As pandas names them by itself."""
    x = np.random.default_rng(0).normal(size=(200, 2))
    result = mutual_information_table(pd.DataFrame(x), **FAST)
    assert [str(given.question) for given in result.answers] == ["0 and 1"]
