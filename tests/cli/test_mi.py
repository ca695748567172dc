"""`infomax mi` as a person at a terminal meets it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

FAST = ("--jobs", "1", "--quiet")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(0)
    n = 200
    x = rng.normal(size=n)
    frame = pd.DataFrame(
        {
            "height": (170 + 8 * x).round(1),
            "weight": (70 + 8 * x + 6 * rng.normal(size=n)).round(1),
            "luck": rng.normal(size=n),
            "shoe, size": np.where(x > 0, "large", "small"),
            "city": rng.choice(["Oslo", "Rome"], n),
        }
    )
    frame.loc[3:9, "city"] = None
    frame["name"] = [f"person {i}" for i in range(n)]
    path = tmp_path_factory.mktemp("tables") / "people.csv"
    frame.to_csv(path, index=False, na_rep="NA")
    return path


def test_without_columns_it_shows_them_and_what_to_do(infomax, table):
    done = infomax("mi", table)
    assert done.code == 0
    assert done.err == ""
    lines = done.out.splitlines()
    assert lines[0].endswith("people.csv: 200 rows, 6 columns")
    assert "height      numbers" in done.out
    assert "a name for each row" in next(line for line in lines if line.startswith("name"))
    assert next(line for line in lines if line.startswith("city")).split()[3:5] == ["2", "7"]  # levels, missing
    assert f"infomax mi {table} height city" in done.out
    listed = json.loads(infomax("mi", table, "--json").out)
    assert [column["name"] for column in listed["columns"]][3] == "shoe, size"


def test_one_pair_in_nats_and_in_bits(infomax, table):
    done = infomax("mi", table, "height", "weight", *FAST)
    assert done.code == 0, done.err
    first = done.out.splitlines()[0].split()
    assert first[:4] == ["height", "and", "weight", "share"]
    assert first[5] == "nats"
    for word in ("interval", "of independence: Spearman", "method     mixed KSG", "rows       200 of 200", "Cautions"):
        assert word in done.out, word
    in_bits = infomax("mi", table, "height", "weight", "--bits", *FAST).out.splitlines()[0].split()
    assert in_bits[5] == "bits"
    assert float(in_bits[4]) == pytest.approx(float(first[4]) / np.log(2), abs=2e-3)


def test_a_target_is_ranked_and_names_with_commas_are_names(infomax, table):
    done = infomax("mi", table, "--target", "shoe, size", *FAST)
    assert done.code == 0, done.err
    ranked = [line.split()[0] for line in done.out.split("\n\n")[1].splitlines()[1:]]
    assert ranked[:2] == ["height", "weight"]
    assert sorted(ranked[2:]) == ["city", "luck"]
    assert "Dependent at a false-discovery rate of 5%" in done.out
    assert "name: words with 200 levels" in done.out


def test_all_pairs_of_some_columns_as_json(infomax, table):
    done = infomax("mi", table, "--all", "--columns", "height,weight", "--columns", "shoe, size", "--json", *FAST)
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert (found["shape"], found["asked"], found["rows"]) == ("matrix", 3, 200)
    assert {column["name"] for column in found["columns"]} == {"height", "weight", "shoe, size"}
    best = found["answers"][0]
    assert best["estimate"]["bits"] == pytest.approx(best["estimate"]["nats"] / np.log(2))
    assert best["q_value"] < 0.01


def test_missing_rows_are_counted_and_sides_may_have_several_columns(infomax, table):
    done = infomax("mi", table, "--x", "city,luck", "--y", "height", *FAST)
    assert "193 of 200 (left out: 7 with a missing value)" in done.out
    given = infomax("mi", table, "height", "weight", "--given", "shoe, size", "--json", *FAST)
    assert json.loads(given.out)["answers"][0]["question"]["given"] == ["shoe, size"]


def test_settings_reach_the_estimate(infomax, table):
    def asked(*options):
        done = infomax("mi", table, "height", "weight", "--json", *FAST, *options)
        assert done.code == 0, done.err
        return json.loads(done.out)["answers"][0]

    plain = asked()
    assert asked()["estimate"] == plain["estimate"]
    assert asked("--seed", "1")["estimate"]["nats"] != plain["estimate"]["nats"]
    assert asked("--level", "0.5")["estimate"]["interval"]["level"] == 0.5
    assert asked("--permutations", "19")["estimate"]["p_value"] == 0.05
    assert asked("--permutations", "0")["estimate"]["p_value"] is None
    assert "canonical" in asked("--method", "cca")["estimate"]["method"]
    assert asked("--rows", "150")["estimate"]["n"] == 150
    assert asked("--rows", "all")["estimate"]["n"] == 200
    assert asked("--discrete", "height,weight")["estimate"]["method"].startswith("contingency")


def test_reports_go_where_they_are_told(infomax, table, elsewhere):
    done = infomax("mi", table, "height", "weight", "--out", "found", "--jobs", "1")
    assert done.code == 0, done.err
    assert done.err.split() == ["Report", "found/report.html", "Report", "found/result.json"]
    assert (elsewhere / "found" / "report.html").read_text().startswith("<!doctype html>")
    assert json.loads((elsewhere / "found" / "result.json").read_text())["asked"] == 1
    assert infomax("mi", table, "height", "weight", "--out", "one.html", *FAST).code == 0
    assert (elsewhere / "one.html").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["height"], "One side is missing"),
        (["height", "girth"], "has no column 'girth'; it has 'height', 'weight'"),
        (["height", "weight", "--all"], "are different questions"),
        (["--all", "--target", "height"], "are different questions"),
        (["height", "--x", "weight", "--y", "luck"], "name it once"),
        (["--columns", "height,luck"], "--columns goes with --target or --all"),
        (["--given", "city"], "--given belongs to a question"),
        (["--out", "report.html"], "--out is for the answers"),
        (["height", "weight", "--method", "discrete"], "in a shell --discrete"),
        (["--target", "girth"], "has no column 'girth'"),
        (["height", "height"], "two sides of the question"),
        (["height", "weight", "--method", "magic"], "method must be one of"),
        (["height", "weight", "--rows", "many"], "--rows takes a number"),
        (["height", "weight", "--rows", "1"], "at least 2"),
        (["height", "weight", "--level", "1.5"], "level must lie between 0 and 1"),
        (["height", "weight", "--block", "500"], "block must lie between"),
        (["height", "weight", "--out", "report.pdf"], "a .html or a .json file"),
        (["city", "weight", "--continuous", "name"], "holds words"),
        (["height", "weight", "--discrete", "girth"], "has no column 'girth'"),
    ],
)
def test_what_cannot_be_right_is_one_line(refused, table, arguments, words):
    assert words in refused("mi", table, *arguments, *FAST)


def test_a_pair_without_an_answer_is_an_error(infomax, elsewhere):
    (elsewhere / "t.csv").write_text("a,b\n" + "\n".join(f"{i},{'inf' if i == 3 else i}" for i in range(40)))
    done = infomax("mi", "t.csv", "a", "b", *FAST)
    assert done.code == 2
    assert "infinite" in done.err
    assert done.out == ""


@pytest.mark.parametrize(
    ("good", "words"), [("", "no row that can be read"), ("1,2\n", "at least 2 observations, got 1")]
)
def test_rows_that_could_not_be_read_explain_too_few(refused, elsewhere, good, words):
    (elsewhere / "t.csv").write_text(f"a,b\n{good}3\n4,5,6\n")
    said = refused("mi", "t.csv", "a", "b", *FAST)
    assert words in said
    assert "2 rows whose number of cells differs from the header's" in said


def test_the_columns_are_shown_with_the_rows_that_could_not_be_read(infomax, elsewhere):
    (elsewhere / "t.csv").write_text("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(40)) + "3\n")
    why = "rows whose number of cells differs from the header's"
    assert f"1 {why}" in infomax("mi", "t.csv").out
    assert json.loads(infomax("mi", "t.csv", "--json").out)["skipped"] == {why: 1}


def test_help_names_every_way_to_ask(infomax):
    text = " ".join(infomax("mi", "--help").out.split())
    for word in ("TABLE", "--target", "--all", "--given", "--bits", "--rows", "--discrete", "--permutations"):
        assert word in text, word


def test_ctrl_c_tells_what_is_done_and_that_it_is_not_all(elsewhere):
    rng = np.random.default_rng(0)
    pd.DataFrame(rng.normal(size=(3000, 24))).add_prefix("c").to_csv("wide.csv", index=False)
    code = (
        "import sys, time\n"
        "import infomax.estimators.table as table\n"
        "from infomax.cli import main\n"
        "answer, done = table.answer, []\n"
        "def slow(*arguments):\n"
        "    done.append(answer(*arguments))\n"
        "    if len(done) == 3: print('three', file=sys.stderr, flush=True)\n"
        "    if len(done) > 3: time.sleep(30)\n"
        "    return done[-1]\n"
        "table.answer = slow\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "mi", "wide.csv", "--all", *FAST],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert process.stderr.readline() == "three\n"
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out.startswith("PARTIAL, stopped by Ctrl-C. All pairs of columns: 276 pairs, 3 of 276 done")
    assert err == "error: stopped by Ctrl-C: 3 of 276 pairs were done, and only they are reported.\n"


def test_a_certificate_is_asked_for(infomax, table):
    found = json.loads(infomax("mi", str(table), "height", "weight", "--delta", "0.05", "--json").out)
    lower = found["answers"][0]["estimate"]["lower"]
    assert lower["confidence"] == 0.95
    assert 0 <= lower["nats"] <= found["answers"][0]["estimate"]["nats"] + 0.2
    refused = infomax("mi", str(table), "height", "weight", "--delta", "2")
    assert refused.code == 2
    assert "--delta must lie between 0 and 1" in refused.err
