"""The page about a table: self-contained, whole, harmless whatever the data say; and the terminal's lines."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from page_parser import Page

from infomax.data.typed_table import read_table
from infomax.errors import InputError
from infomax.estimators.table import mutual_information_table
from infomax.report import (
    information_figures,
    information_html,
    information_pictures,
    information_text,
    write_information,
)
from infomax.report.information import information_targets
from infomax.report.information_figures import interval_figure, matrix_figure, shade
from infomax.report.information_lines import columns_text, probability

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">$x^2$ \x00\u202e&amp;'


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 150
    x = rng.normal(size=n)
    return read_table(
        pd.DataFrame(
            {
                "x": x,
                "near": x + 0.5 * rng.normal(size=n),
                "alone": rng.normal(size=n),
                HOSTILE: np.where(x > 0, HOSTILE, "low"),
                "city": np.where(rng.random(n) < 0.8, np.where(x > 0, "Oslo", "Rome"), "Bern"),
                "day": pd.Timestamp("2024-01-01") + pd.to_timedelta(np.arange(n), "D"),
                "same": 1,
            }
        )
    )


@pytest.fixture(scope="module")
def results(table):
    ask = {"rows": 140, "permutations": None}
    return {
        "matrix": mutual_information_table(table, **ask),
        "target": mutual_information_table(table, target="x", **ask),
        "pair": mutual_information_table(table, x="x", y=HOSTILE, **ask),
        "sides": mutual_information_table(table, x=["x", "near"], y="alone", given="city", permutations=0),
    }


@pytest.fixture(scope="module")
def pages(results, table):
    return {shape: information_html(result, table=table) for shape, result in results.items()}


@pytest.mark.parametrize("shape", ["matrix", "target", "pair", "sides"])
def test_pages_are_whole_and_fetch_nothing(pages, shape):
    page = pages[shape]
    parsed = Page(page)
    assert parsed.open == []
    assert "http:" not in page
    assert "https:" not in page
    for tag, attributes in parsed.elements:
        assert tag not in {"script", "link", "iframe", "img", "object", "base"}
        assert not any(name.startswith("on") or name in {"src", "srcset"} for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")
    ids = Counter(attributes["id"] for _, attributes in parsed.elements if "id" in attributes)
    assert max(ids.values()) == 1
    used = set(re.findall(r"url\(#([^)]*)\)", page)) | set(re.findall(r'href="#([^"]*)"', page))
    assert used <= set(ids)
    assert "<svg" in page
    assert "$x^2$" in parsed.text or shape == "sides"  # a name, not a formula


@pytest.mark.parametrize("shape", ["matrix", "target", "pair", "sides"])
@pytest.mark.parametrize("unit", ["nats", "bits"])
def test_page_and_lines_show_the_numbers(results, table, shape, unit):
    result = results[shape]
    page = Page(information_html(result, table=table, unit=unit)).text
    lines = information_text(result, unit=unit)
    best = result.answers[0].estimate
    value = f"{best.to(unit):.3f}"
    for text in (page, lines):
        assert value in text
        assert f"{best.interval.low / (np.log(2) if unit == 'bits' else 1):.3f} to" in text
    assert "140" in page or shape == "sides"
    assert "numpy" in page
    assert "drawn at random" in page or shape == "sides"
    assert "\x00" not in lines + page
    assert "\u202e" not in lines + page


def test_every_pair_stands_in_the_table_and_what_is_left_out_is_said(results, pages):
    page = Page(pages["matrix"]).text
    assert len(results["matrix"].answers) == 15
    for given in results["matrix"].answers:
        assert f"{given.estimate.nats + 0.0:.3f}" in page
    assert "constant" in page
    assert "same: constant" in information_text(results["matrix"])


def test_independence_is_drawn_as_no_dependence(results, pages):
    target = {given.question.x[0]: given.q_value for given in results["target"].answers}
    assert target["alone"] > 0.05 > target["near"]
    bars = pages["target"]
    assert bars.count("fill: url(#ranked-h") == sum(q > 0.05 for q in target.values())  # hatched


def test_an_interval_without_an_upper_end_is_an_arrow(tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=500)
    near = read_table(pd.DataFrame({"x": x, "y": x + 1e-5 * rng.normal(size=500)}))
    result = mutual_information_table(near, target="x", permutations=0)
    (answer,) = result.answers
    assert answer.estimate.interval.high == np.inf
    page, lines = information_html(result, table=near), information_text(result)
    assert " to inf" in page
    assert " to inf" in lines
    assert page.count("<svg") >= 2


def test_partial_work_is_marked_everywhere(results, table):
    cut = replace(results["target"], answers=results["target"].answers[:2], interrupted=True)
    assert "Partial." in Page(information_html(cut, table=table)).text
    assert information_text(cut).startswith("PARTIAL, stopped by Ctrl-C")
    assert "2 of 5 done" in information_text(cut)


def test_a_pair_without_an_answer_is_listed(results, table):
    failed = replace(results["target"].answers[0], estimate=None, problem="it is <b>broken</b>", q_value=None)
    result = replace(results["target"], answers=(*results["target"].answers[1:], failed))
    page = information_html(result, table=table)
    assert "it is <b>broken" not in page
    assert "it is <b>broken</b>" in Page(page).text
    assert "it is <b>broken</b>" in information_text(result)


def drawn(monkeypatch, module):
    """What `svg` of a module is given to write out: the axes of the last figure."""
    seen = []
    real = module.svg
    monkeypatch.setattr(module, "svg", lambda figure, *names: seen.append(figure.axes[0]) or real(figure, *names))
    return seen


@pytest.mark.parametrize(("bits", "text"), [(10.054, "10.05"), (20.27, "20.27"), (0.126, ".13"), (-0.051, "-.05")])
def test_cells_of_the_matrix_show_their_number(results, monkeypatch, bits, text):
    answer = next(given for given in results["matrix"].answers if given.q_value is not None and given.q_value < 0.05)
    seen = drawn(monkeypatch, information_figures)
    matrix_figure([replace(answer, estimate=replace(answer.estimate, nats=bits * np.log(2)))], "bits")
    assert text in [t.get_text() for t in seen[0].texts]


def test_an_interval_below_zero_is_drawn_whole(results, monkeypatch):
    found = results["pair"].answers[0].estimate
    low = replace(found, nats=-0.03, interval=replace(found.interval, low=-0.2, high=0.07))
    seen = drawn(monkeypatch, information_figures)
    interval_figure(low, "nats")
    assert seen[0].get_xlim()[0] < -0.2
    assert seen[0].get_xlim()[1] > 0.07


def test_the_level_of_an_interval_is_not_rounded(results):
    result = results["pair"]
    found = result.answers[0].estimate
    finer = replace(found, interval=replace(found.interval, level=0.999))
    assert "99.9%" in information_text(replace(result, answers=(replace(result.answers[0], estimate=finer),)))
    assert "99.9%" in str(finer)


def test_levels_that_begin_alike_and_large_whole_numbers_are_drawn_apart(monkeypatch, tmp_path):
    names = [f"University of California, {city}" for city in ("Davis", "Irvine", "Merced")]
    code = 1_700_000_000_000_000_001 + np.arange(60) * 10**15
    frame = pd.DataFrame({"place": names * 20, "group": [1_000_001.5, 1_000_002.5] * 30, "code": code})
    frame["y"] = np.random.default_rng(0).normal(size=60)
    table = read_table(frame)
    seen = drawn(monkeypatch, information_pictures)
    result = mutual_information_table(table, x="place", y="group", discrete=["group"], permutations=0)
    write_information(result, information_targets(tmp_path / "one"), table=table)
    assert [t.get_text() for t in seen[0].get_yticklabels()] == [f"Universit…{name[-8:]}" for name in names]
    assert [t.get_text() for t in seen[0].get_xticklabels()] == ["1000001.5", "1000002.5"]
    result = mutual_information_table(table, x="code", y="y", permutations=0)
    write_information(result, information_targets(tmp_path / "two"), table=table)
    assert seen[1].collections[0].get_offsets()[:, 0].max() == pytest.approx(code.max(), rel=1e-12)


def test_many_pairs_show_the_strongest(results):
    many = replace(results["matrix"], answers=results["matrix"].answers * 3)
    text = information_text(many)
    assert "… and 25 weaker pairs" in text
    assert text.count("KSG") + text.count("Ross") + text.count("contingency") == 20


def test_files_are_written_whole(results, table, tmp_path):
    written = write_information(results["pair"], information_targets(tmp_path / "new"), table=table)
    assert [path.name for path in written] == ["report.html", "result.json"]
    found = json.loads(written[1].read_text())
    assert found["answers"][0]["estimate"]["nats"] == results["pair"].answers[0].estimate.nats
    for name in ("report.pdf", "report.html/"):
        (tmp_path / "report.html").mkdir(exist_ok=True)
        with pytest.raises(InputError):
            information_targets(tmp_path / name)


def test_columns_that_cannot_be_asked_about_are_named():
    frame = pd.DataFrame({"x": np.arange(50) ** 2 % 7, "y": np.arange(50) % 5, "parts": [[1]] * 50})
    result = mutual_information_table(frame, permutations=0)
    assert result.left_out["parts"].startswith("it holds list")
    assert "parts: it holds list" in information_text(result)


def test_words_for_small_numbers_and_columns(results):
    assert [probability(p) for p in (None, 0.5, 0.05, 0.00012)] == ["–", "0.50", "0.05", "1e-04"]
    assert shade(-0.1) == 0.0
    assert shade(0.5 * np.log(4 / 3)) == pytest.approx(0.5)
    assert len(columns_text(results["pair"].columns).splitlines()) == 8
