"""The page: self-contained, whole, and harmless whatever the data say."""

from __future__ import annotations

import re
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from page_parser import Page

from infomax.data.pairs import ReadReport
from infomax.errors import InfomaxError, InputError
from infomax.report import fit_html, write_report

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">&amp;\x00\u202e\ud800 𝔘nicode'


@pytest.fixture
def page(result) -> str:
    return fit_html(result)


def test_the_page_shows_what_was_found(page):
    text = Page(page).text
    for figure in ("0.410", "0.612", "0.493", "7.21 ± 0.07 bits", "10.00 bits", "72%", "1,024 anchors"):
        assert figure in text
    for part in ("an empty anchor", "40", "batch_size", "2,048", "3.11.2", "0.0432", "the bound is near its ceiling"):
        assert part in text
    assert "datetime.fromisoformat" in text
    assert "not among them: more_itertools.unique_everseen" in text
    assert text.count("✓") == 2  # the legend, and one true partner among the nearest


def test_elements_are_closed_and_identifiers_single(page):
    parsed = Page(page)
    assert parsed.open == []
    ids = Counter(attributes["id"] for _, attributes in parsed.elements if "id" in attributes)
    assert ids
    assert max(ids.values()) == 1
    used = set(re.findall(r"url\(#([^)]*)\)", page)) | set(re.findall(r'href="#([^"]*)"', page))
    assert used
    assert used <= set(ids)


def test_nothing_is_fetched(page):
    assert "http:" not in page
    assert "https:" not in page
    assert "url(" not in page.replace("url(#", "")
    for tag, attributes in Page(page).elements:
        assert tag not in {"script", "link", "iframe", "img", "object", "base"}
        assert not any(name.startswith("on") or name in {"src", "srcset"} for name in attributes)
        assert (attributes.get("href") or "#").startswith("#")


def test_one_fit_gives_one_page(result, page):
    assert fit_html(result) == page


def test_foreign_text_stays_text(result):
    evaluation = replace(
        result.evaluation,
        readout=replace(result.evaluation.readout, reason=HOSTILE, warnings=(HOSTILE,)),
        examples=[(HOSTILE, HOSTILE, [(HOSTILE, 1.0)])],
    )
    hostile = replace(
        result,
        evaluation=evaluation,
        read=ReadReport(HOSTILE, 3, 2, {HOSTILE: 1}),
        settings={HOSTILE: HOSTILE},
        versions={HOSTILE: HOSTILE},
        warnings=(HOSTILE,),
        seconds={HOSTILE: 1.0},
        sizes={HOSTILE: 2},
        moved={HOSTILE: 2},
    )
    page = fit_html(hostile)
    parsed = Page(page)
    assert parsed.open == []
    assert not {"script", "img"} & {tag for tag, _ in parsed.elements}
    assert parsed.text.count("<script>alert(1)</script>") >= 12
    assert not set("\x00\u202e\ud800") & set(page)
    assert "𝔘nicode" in page


def test_a_label_of_ten_megabytes_is_cut(result):
    long = "x" * 10_000_000
    evaluation = replace(result.evaluation, examples=[(long, long, [(long, 1.0)])])
    assert len(fit_html(replace(result, evaluation=evaluation))) < 300_000


def test_a_score_is_never_called_a_bound(with_readout):
    text = Page(fit_html(with_readout(side="score", reason="a mask left candidates out"))).text
    assert "lower bound" not in text
    assert "score, not a bound" in text
    assert "a mask left candidates out" in text


@pytest.mark.parametrize("missing", ["evaluation", "history", "samples", "rivals", "everything"])
def test_a_page_does_without_what_there_is_not(result, missing):
    evaluation = result.evaluation
    less = {
        "evaluation": {"evaluation": None},
        "history": {"history": []},
        "samples": {"evaluation": replace(evaluation, positive_scores=(), negative_scores=(), examples=())},
        "rivals": {"evaluation": replace(evaluation, bm25=None, untrained=None)},
        "everything": {"evaluation": None, "history": (), "sizes": {}, "settings": {}, "versions": {}, "seconds": {}},
    }[missing]
    parsed = Page(fit_html(replace(result, **less)))
    assert parsed.open == []
    assert ("recall@10" in parsed.text) == ("evaluation" not in less or less["evaluation"] is not None)
    assert ("validation pairs, which choose" in parsed.text) == (missing not in ("history", "everything"))
    assert ("true pair from a chance pair" in parsed.text) == (missing in ("history", "rivals"))


def test_numbers_that_are_none_leave_no_trace(with_readout):
    fit = with_readout(standard_error=float("nan"), effective_negatives=float("nan"))
    history = [{"step": 1, "loss": float("nan")}, {"step": 2, "loss": float("inf")}]
    evaluation = replace(fit.evaluation, positive_scores=[float("nan")], negative_scores=[float("inf")])
    text = Page(fit_html(replace(fit, history=history, evaluation=evaluation))).text
    assert not re.search(r"\b(nan|inf)\b", text)


def test_colours_are_those_of_the_page_in_light_dark_and_print(page):
    style, body = page.split("</style>", 1)
    assert not re.search(r"#0001[0-9a-f]{2}|#0000[0-9a-f]{2}", body)
    used = set(re.findall(r"var\((--[a-z-]+)\)", page))
    assert {"--ink", "--true", "--chance", "--muted", "--grid"} <= used
    palettes = _palettes(style)
    assert len(palettes) == 3
    assert all(used <= set(palette) for palette in palettes)


@pytest.mark.parametrize("mode", [0, 1, 2])
def test_letters_and_lines_stand_out(page, mode):
    palette = _palettes(page)[mode]
    for name, least in (("--ink", 7.0), ("--muted", 4.5), ("--true", 4.5), ("--chance", 4.5), ("--plain", 3.0)):
        assert _contrast(palette[name], palette["--paper"]) >= least, name


def test_the_report_is_written_whole_or_not_at_all(result, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    assert write_report(result, path) == path
    before = path.read_bytes()
    assert before.decode() == fit_html(result)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InfomaxError, match="disk is full"):
        write_report(replace(result, temperature=0.5), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_ending_chooses_the_reader(result, tmp_path):
    assert write_report(result, tmp_path / "r.json").read_text().startswith('{"temperature": 0.0432')
    with pytest.raises(InputError, match=r"\.html or a \.json"):
        write_report(result, tmp_path / "r.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]


def _palettes(style: str) -> list[dict[str, str]]:
    """The variables of each :root block: light, dark, print."""
    blocks = re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL)
    return [dict(re.findall(r"(--[a-z-]+): (#[0-9a-f]+)", block)) for block in blocks]


def _contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, WCAG 2.2."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * c for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
