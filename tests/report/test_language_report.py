"""What a fit of a language model says: figures in the right place, on the part they were read on; nothing from outside runs."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from math import exp, log
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from page_parser import Page

from infomax.candidates import NGram
from infomax.errors import InputError
from infomax.language import LanguageFitResult, NGramModel, TokenCorpus, Vocabulary
from infomax.report import (
    LanguageReport,
    Sample,
    bits_per_character,
    language_html,
    language_json,
    language_reading_json,
    language_reading_text,
    language_text,
    write_language,
)
from infomax.unnormalised import ExactReading

WORDS = Vocabulary.words(["a b c d"])
EVIL = "<script>alert(1)"


def _reading(perplexity: float, n: int = 100) -> ExactReading:
    return ExactReading(log(perplexity), perplexity, 0.25, 0.5, n)


def _corpus(**changes) -> TokenCorpus:
    given = {
        "vocabulary": WORDS,
        "train": np.array([2, 3, 4, 1], np.int32),
        "validation": np.array([2, 1], np.int32),
        "test": np.array([3, 1], np.int32),
        "counts": np.array([0, 1, 1, 1, 1, 0]),
        "source": f"/folder/{EVIL}.txt",
        "texts": {"train": 1, "validation": 1, "test": 1},
        "characters": {"train": 6, "validation": 40, "test": 50},
        "unknown": {"train": 0.0, "validation": 0.0, "test": 0.125},
        "skipped": {"lines that were cut": 3},
        "fingerprint": "f",
    }
    return TokenCorpus(**{**given, **changes})


@pytest.fixture
def report() -> LanguageReport:
    history = [
        {"step": 1, "loss": 2.5, "seconds": 0.1},
        {"step": 2, "loss": 1.5, "validation_loss": 2.0, "validation_perplexity": 7.4}
        | {"log_normaliser": 0.1, "log_normaliser_spread": 0.2},
    ]
    result = LanguageFitResult(
        model=NGramModel(WORDS, NGram.fit(np.array([2, 3, 4, 1, 2, 3, 1]), 6, 2)),
        history=history,
        anchors={"loss": log(11), "uniform": log(6), "unigram": 1.3},
        validation=_reading(7.0),
        test=_reading(8.0),
        uncorrected=None,
        baseline=_reading(9.0),
        information_kept={1: 0.25, 10: 0.75},
        sizes={"train": 4, "validation": 2, "test": 2},
        unknown={"train": 0.0, "validation": 0.0, "test": 0.125},
        settings={"model": "lstm", "objective": "nce", "order": 3, "noise_draws": 10},
        versions={"torch": "2"},
        seconds={"train": 3.0, "save": 1.0},
        warnings=("beware",),
    )
    samples = (Sample("a prompt", f"text {EVIL}", 0.7), Sample("", "", 0.7))
    return LanguageReport(result, _corpus(), _reading(12.0), samples)


def _of(report: LanguageReport, **changes) -> LanguageReport:
    return replace(report, result=replace(report.result, **changes))


def test_bits_a_character_are_the_bits_of_the_text_over_its_characters():
    assert bits_per_character(_reading(4.0, n=10), 5) == pytest.approx(4.0)  # 10 tokens of 2 bits
    assert bits_per_character(_reading(4.0, n=10), 0) == float("inf")


def test_every_figure_is_of_the_part_that_is_reported_on(report):
    text = language_text(report)
    assert text.startswith(f"Fitted: LSTM, nce, on {EVIL}.txt (4 tokens, 6 words) in 4.0 s")
    rows = [line.split() for line in text.splitlines()]
    assert ["LSTM", "8.0"] in rows
    assert ["3-gram,", "Kneser-Ney", "9.0"] in rows
    assert ["word", "frequencies", "alone", "12.0"] in rows
    assert ["knowing", "nothing", "6.0"] in rows
    assert "Perplexity of the test part (100 tokens), exact:" in text
    assert f"{100 * 3 / 50:.3f} bits a character. 12.5% of the tokens are words outside the vocabulary" in text
    assert "Loss 1.500 nats at the end; a model that equals its noise has 2.398." in text
    assert "log Z of the scores is 0.250 ± 0.500 nats over contexts" in text
    assert "25% at k = 1, 75% at k = 10. This run: k = 10." in text
    assert "  - a prompt | text" in text
    assert "  - 3 lines that were cut" in text
    assert "  - beware" in text


def test_without_a_test_part_the_validation_part_is_reported(report):
    found = _of(report, test=None)
    assert (found.part, found.reading.perplexity) == ("validation", pytest.approx(7.0))
    assert "Perplexity of the validation part" in language_text(found)
    assert language_json(found)["bits_per_character"] == pytest.approx(100 * log(7, 2) / 40)
    none = replace(_of(report, test=None, validation=None, baseline=None), unigram=None)
    assert "No held-out part" in language_text(none)
    assert "Held out" not in Page(language_html(none)).text
    assert language_json(none)["bits_per_character"] is None


def test_anchors_are_named_for_what_they_are(report):
    exact = _of(report, settings={**report.result.settings, "objective": "mle"})
    assert "a model that knows nothing has 2.398" in language_text(exact)
    assert "k q/(p + k q)" not in language_text(exact)
    assert "k q/(p + k q)" not in language_html(exact)
    settings = {**report.result.settings, "model": "ngram", "order": 2}
    counted = _of(report, settings=settings, history=[], information_kept={})
    text = language_text(counted)
    assert "Fitted: 2-gram, Kneser-Ney, on" in text
    assert text.count("Kneser-Ney") == 2  # in the headline and its row; it is no baseline of itself
    assert "log Z" not in text
    assert "Training" not in Page(language_html(counted)).text


def test_what_perplexities_may_be_compared_with(report):
    assert "No word is outside" in language_reading_text(_reading(5.0), report.corpus)
    share = _corpus(unknown={"train": 0.5})
    text = language_reading_text(_reading(5.0, n=12), share)
    assert "50.0% of the tokens are words outside the vocabulary" in text
    assert "perplexity       5.00, exact (1.6094 nats a token)" in text
    assert f"bits a character {12 * log(5, 2) / 6:.3f}" in text
    subwords = _corpus(vocabulary=Vocabulary.subwords(["a b"], 258))
    assert "Perplexity is that of a subword" in language_reading_text(_reading(5.0), subwords)
    found = language_reading_json(_reading(5.0, n=12), share)
    assert found["bits_per_character"] == pytest.approx(12 * log(5, 2) / 6)
    assert (found["unknown"], found["vocabulary"]["kind"]) == (0.5, "words")


def test_the_page_is_whole_shows_every_figure_and_runs_nothing(report):
    page = language_html(report)
    parsed = Page(page)
    assert parsed.open == []
    assert "<script" not in page
    assert "http:" not in page
    assert "https:" not in page
    assert EVIL in parsed.text
    assert sum(tag == "svg" for tag, _ in parsed.elements) == 5
    drawn = [tag for tag, attributes in parsed.elements if tag == "svg" and attributes.get("role") == "img"]
    assert len(drawn) == 5
    for words in (
        "8.0",
        "9.0",
        "12.0",
        "6.00",
        "beware",
        "a prompt",
        "(nothing: the text ends)",
        "anchor 2.40",
        "k = 10",
    ):
        assert words in parsed.text, words
    assert "exact, on the test part; 3-gram, Kneser-Ney 9.0" in parsed.text
    assert "mathdefault" not in page  # what matplotlib writes at ticks of its own choice


def test_json_is_strict_and_whole(report, tmp_path):
    broken = _of(report, anchors={"loss": float("nan"), "uniform": 1.0, "unigram": 1.0})
    path = write_language(broken, tmp_path / "result.json")
    found = json.loads(path.read_text(), parse_constant=lambda name: pytest.fail(name))
    assert found["anchors"]["loss"] is None
    assert found["reported_on"] == "test"
    assert exp(found["unigram"]["cross_entropy"]) == pytest.approx(12)
    assert found["samples"][0] == {"prompt": "a prompt", "text": f"text {EVIL}", "temperature": 0.7}
    assert write_language(report, tmp_path / "report.html").read_text().startswith("<!doctype html>")
    with pytest.raises(InputError, match=r"to a \.html or a \.json file"):
        write_language(report, tmp_path / "report.pdf")
