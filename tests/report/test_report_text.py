"""The lines that a terminal shows."""

from __future__ import annotations

from dataclasses import replace
from math import log

import pytest

from infomax.data.pairs import ReadReport
from infomax.report import evaluation_text, fit_text, shown, skipped_text
from infomax.report.text import duration, short


def _row(text: str, name: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.split()[:1] == [name]]
    return line.split()[1:]


def test_each_contender_has_its_own_figures_under_the_right_heading(result):
    text = fit_text(result)
    (headings,) = [line.split() for line in text.splitlines() if "recall@10" in line]
    assert headings == ["recall@1", "recall@5", "recall@10", "MRR"]
    assert _row(text, "fitted") == ["0.410", "0.650", "0.761", "0.520"]
    assert _row(text, "BM25") == ["0.320", "0.550", "0.612", "0.420"]
    assert _row(text, "untrained") == ["0.240", "0.420", "0.493", "0.330"]


def test_a_contender_that_was_not_measured_has_no_line(result):
    evaluation = replace(result.evaluation, bm25=None, untrained=None)
    text = evaluation_text(evaluation)
    assert "BM25" not in text
    assert "untrained" not in text
    assert _row(text, "fitted")[0] == "0.410"


def test_information_is_in_bits_and_nats_with_error_and_ceiling(result):
    text = fit_text(result)
    assert "Information, lower bound: 7.21 ± 0.07 bits (5.00 ± 0.05 nats, standard error)" in text
    assert 5.0 / log(2) == pytest.approx(7.21, abs=0.005)
    assert "10.00 bits (6.93 nats)" in text
    assert "72% of it reached" in text
    assert "all held-out candidates count and none is masked" in text


def test_a_score_is_never_called_a_bound(with_readout):
    text = fit_text(with_readout(side="score", reason="a mask left candidates out"))
    assert "lower bound" not in text
    assert "a score and no bound" in text
    assert "a mask left candidates out" in text


def test_an_unknown_error_is_said_to_be_unknown(with_readout):
    text = fit_text(with_readout(standard_error=float("nan")))
    assert "nan" not in text
    assert "standard error is unknown" in text


def test_what_the_split_moved_is_told_and_is_no_warning(result):
    moved = {"validation to train": 1053, "test to train": 42, "test to validation": 0}
    said = fit_text(replace(result, moved=moved, warnings=("one more",)))
    line = "Moved beside their near duplicates: 1,053 validation to train, 42 test to train"
    assert line in said.splitlines()
    assert said.index(line) < said.index("Warnings")
    assert "Moved" not in fit_text(replace(result, moved=dict.fromkeys(moved, 0)))


def test_warnings_of_fit_and_readout_stand_once_each(result):
    twice = replace(result, warnings=("the bound is near its ceiling", "one more"))
    assert fit_text(twice).count("the bound is near its ceiling") == 1
    assert "  - one more" in fit_text(twice)


def test_rows_left_out_are_counted_by_reason(result):
    assert skipped_text(result.read).splitlines() == [
        "Rows left out of pairs.csv: 60 of 12,060",
        "  - 40 an empty anchor",
        "  - 20 a cell longer than 1,000,000 characters",
    ]
    assert skipped_text(ReadReport("pairs.csv", 5, 5, {})) == ""


def test_a_run_without_evaluation_still_says_what_it_did(result):
    text = fit_text(replace(result, evaluation=None, interrupted=True))
    assert text.startswith("Interrupted before its end: 12,000 pairs (train 9,952 · validation 1,024 · test 1,024)")
    assert "recall" not in text


def test_foreign_text_cannot_move_the_cursor_or_turn_the_line(result):
    hostile = "a\x1b[31mred\u202eolleh\x00\ud800\nnext"
    assert shown(hostile, 100) == "a\ufffd[31mred\ufffdolleh\ufffd\ufffd next"
    read = ReadReport("pairs.csv", 2, 1, {hostile: 1})
    assert not set("\x1b\u202e\x00\ud800") & set(fit_text(replace(result, read=read, warnings=(hostile,))))


def test_long_text_is_cut_with_an_ellipsis():
    assert shown("x" * 10_000_000, 5) == "xxxxx…"
    assert shown("xxxxx", 5) == "xxxxx"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 00 s"), (125, "2 min 05 s"), (3725, "1 h 02 min")],
)
def test_durations(seconds, words):
    assert duration(seconds) == words


def test_sources_go_by_their_own_names():
    assert short("data/pairs.csv") == "pairs.csv"
    assert short("/usr/lib/python3.11, /opt/site-packages") == "python3.11, site-packages"
    assert short("data in memory") == "data in memory"
