"""`infomax lm`: from text to a model and its report, and what the model is used for."""

from __future__ import annotations

import inspect
import json
import random
import re
import shutil
import subprocess
import sys
from math import exp, log
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
from page_parser import Page

from infomax.language import fit_language_model, load_language_model, read_corpus
from infomax.language.corpus import _SIZES

FAST = ("--dim", "16", "--epochs", "2", "--batch-size", "8", "--draws", "10", "--quiet")
_WORDS = ("the cat|a dog|my friend", "sees|likes|hears", "the mouse|a house|some bread")


def sentences(count: int) -> str:
    rng = random.Random(0)
    return "".join(" ".join(rng.choice(part.split("|")) for part in _WORDS) + ".\n" for _ in range(count))


@pytest.fixture(scope="module")
def text_file(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("text") / "tiny.txt"
    path.write_text(sentences(400))
    return path


@pytest.fixture(scope="module")
def learned(infomax, text_file, tmp_path_factory):
    """A finished run, and what the command line said."""
    folder = tmp_path_factory.mktemp("runs") / "tiny"
    said = infomax("lm", "fit", text_file, "--out", folder, *FAST)
    assert said.code == 0, said.err
    return folder, said


@pytest.fixture(scope="module")
def record(learned):
    return json.loads((learned[0] / "result.json").read_text())


def test_a_fit_says_what_it_found_and_what_to_do(learned, record):
    folder, said = learned
    assert said.err == ""
    assert said.out.startswith("Fitted: LSTM, ranking, on tiny.txt (")
    for name, figure in (
        ("LSTM", record["test"]["perplexity"]),
        ("3-gram, Kneser-Ney", record["baseline"]["perplexity"]),
        ("word frequencies alone", record["unigram"]["perplexity"]),
    ):
        assert re.search(rf"^  {name} +{figure:,.1f}$", said.out, re.MULTILINE), name
    assert record["baseline"]["perplexity"] < record["unigram"]["perplexity"]
    assert f"infomax lm generate {folder} " in said.out
    assert f"Report    {folder / 'report.html'}" in said.out


def test_the_figures_are_those_of_the_saved_model_on_the_held_out_part(learned, record, text_file):
    corpus = read_corpus(text_file)
    reading = load_language_model(learned[0]).evaluate(corpus.test)
    assert record["corpus"]["fingerprint"] == corpus.fingerprint
    assert record["test"]["cross_entropy"] == pytest.approx(reading.cross_entropy, rel=1e-6)
    counts = np.bincount(corpus.test, minlength=corpus.vocabulary.size)
    unigram = -(counts @ np.log(np.maximum(corpus.counts, 0.1) / corpus.counts.sum())) / counts.sum()
    assert log(record["unigram"]["perplexity"]) == pytest.approx(unigram, abs=0.01)
    characters = sum(len(line) + 1 for line in corpus.vocabulary.decode(corpus.test).splitlines())
    bits = reading.cross_entropy * reading.n / log(2) / characters
    assert record["bits_per_character"] == pytest.approx(bits, rel=1e-6)


def test_the_page_is_whole_and_fetches_nothing(learned, record):
    page = (learned[0] / "report.html").read_text()
    parsed = Page(page)
    assert parsed.open == []
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    assert "http-equiv" in page
    assert sum(tag == "svg" for tag, _ in parsed.elements) == 5
    for words in (
        f"{record['test']['perplexity']:,.1f}",
        "Held out: perplexity",
        "What it writes",
        "torch",
        "noise_draws",
    ):
        assert words in parsed.text
    assert all(sample["text"][:20] in parsed.text for sample in record["samples"])


def test_json_is_all_there_is_on_the_standard_output(infomax, text_file):
    said = infomax("lm", "fit", text_file, "--model", "ngram", "--order", "2", "--quiet", "--json")
    found = json.loads(said.out)
    assert found["settings"]["order"] == 2
    assert found["test"]["log_normaliser"] == 0
    assert found["corpus"]["vocabulary"]["kind"] == "words"
    assert Path(found["report"]) == Path("runs/lm-tiny/report.html")
    assert json.loads(Path("runs/lm-tiny/result.json").read_text())["samples"] == found["samples"]


def test_options_reach_the_corpus_and_the_model(infomax, text_file, elsewhere):
    (elsewhere / "held.txt").write_text(sentences(40))
    options = ["--validation", "held.txt", "--lowercase", "--size", "12", "--tokens", "tokens"]
    options += ["--objective", "nce", "--log-normaliser", "context", "--noise", "uniform", "--untied", "--own-draws"]
    said = infomax(
        "lm",
        "fit",
        text_file,
        *options,
        "--model",
        "log-bilinear",
        "--context",
        "2",
        *FAST,
        "--batch-size",
        "200",
        "--json",
    )
    found = json.loads(said.out)
    told = {
        "objective": "nce",
        "log_normaliser": "context",
        "noise": "uniform",
        "tied": False,
        "shared": False,
        "context": 2,
    }
    assert told.items() <= found["settings"].items()
    assert found["corpus"]["vocabulary"]["size"] == 12
    assert found["sizes"]["test"] == 0
    assert found["corpus"]["texts"] == {"train": 400, "validation": 40, "test": 0}
    assert found["reported_on"] == "validation"
    assert 0 < found["unknown"]["train"] < 0.5
    assert list((elsewhere / "tokens").glob("*/train.bin"))


def test_without_held_out_text_there_is_no_perplexity_and_it_is_said(infomax, text_file):
    said = infomax("lm", "fit", text_file, "--validation", "0", "--test", "0", *FAST)
    assert said.code == 0, said.err
    assert "No held-out part, so no perplexity" in said.out
    assert "Warnings" in said.out


def test_score_adds_up_and_counts_unknown_words(infomax, learned, elsewhere):
    folder, _ = learned
    (elsewhere / "texts.txt").write_text("the cat sees the mouse.\nthe zebra flies\n\n")
    found = json.loads(infomax("lm", "score", folder, "texts.txt", "--json").out)
    model = load_language_model(folder)
    assert [text["unknown"] for text in found["texts"]] == [0, 2, 0]
    assert [text["tokens"] for text in found["texts"]] == [7, 4, 1]
    expected = model.score(["the cat sees the mouse.", "the zebra flies", ""])
    assert [text["nats"] for text in found["texts"]] == pytest.approx(expected.nats.tolist())
    assert found["nats"] == pytest.approx(sum(text["nats"] for text in found["texts"]))
    assert found["perplexity"] == pytest.approx(exp(found["nats"] / 12))
    lines = infomax("lm", "score", folder, stdin="the cat sees the mouse.\n").out.splitlines()
    assert lines[1].split()[0] == f"{expected.nats[0]:.2f}"
    assert lines[1].endswith("the cat sees the mouse.")
    bits = infomax("lm", "score", folder, "--bits", stdin="the cat sees the mouse.\n").out.splitlines()
    assert bits[0].split()[0] == "bits"
    assert float(bits[1].split()[0]) == pytest.approx(expected.nats[0] / log(2), abs=0.006)
    assert bits[1].split()[1] == lines[1].split()[1]  # perplexity has no unit


def test_generate_is_repeatable_and_goes_on_from_the_prompt(infomax, learned):
    folder, _ = learned
    call = ["lm", "generate", folder, "the cat", "-n", "3", "--tokens", "5"]
    first = infomax(*call, "--seed", "3")
    assert first.out == infomax(*call, "--seed", "3").out != infomax(*call, "--seed", "4").out
    assert all(line.startswith("the cat") for line in first.out.splitlines())
    sure = infomax("lm", "generate", folder, "--temperature", "0", "-n", "2", "--tokens", "4").out.splitlines()
    assert sure[0] == sure[1]
    assert infomax("lm", "generate", folder, "--top-k", "1", "--tokens", "4").out.splitlines()[0] == sure[0]
    said = infomax("lm", "generate", folder, "the zebra", "--json")
    assert len(json.loads(said.out)["texts"]) == 1
    assert infomax("lm", "generate", folder, "the zebra").err.startswith("1 of the prompt's words are not in")


def test_evaluate_reads_another_corpus_and_says_what_it_may_be_compared_with(infomax, learned, text_file, elsewhere):
    folder, _ = learned
    (elsewhere / "other.txt").write_text("the cat sees a zebra.\nthe dog likes the mouse.\n")
    found = json.loads(infomax("lm", "evaluate", folder, "other.txt", "--json", "--quiet").out)
    assert found["unknown"] == pytest.approx(1 / 14)
    assert found["characters"] == 47
    assert found["bits_per_character"] == pytest.approx(found["cross_entropy"] * 14 / log(2) / 47)
    assert found["perplexity"] == pytest.approx(exp(found["cross_entropy"]))
    said = infomax("lm", "evaluate", folder, "other.txt")
    assert "7.1% of the tokens are words outside the vocabulary" in said.out
    assert "only with models of these" in said.out
    assert "same name" not in said.out
    same = infomax("lm", "evaluate", folder, text_file).out
    assert "No word is outside the vocabulary" in same
    assert "flatter the model" in same


def test_subwords_have_no_unknown_words(infomax, text_file):
    said = infomax("lm", "fit", text_file, "--vocabulary", "subwords", "--size", "270", "--model", "ngram", "--quiet")
    assert "Perplexity is that of a subword" in said.out
    written = infomax("lm", "generate", "runs/lm-tiny", "the zebra fl", "--tokens", "3")
    assert written.err == ""
    assert written.out.startswith("the zebra fl")
    assert "of these 270 subwords" in infomax("lm", "evaluate", "runs/lm-tiny", text_file, "--quiet").out


def test_help_repeats_the_defaults(infomax):
    text = " ".join(infomax("lm", "fit", "--help").out.split())
    told = dict(re.findall(r"--([a-z-]+) [A-Z|]+ (?:(?!--)[^\[])*\[default: ([^\];]+)", text))
    own = {name: parameter.default for name, parameter in inspect.signature(fit_language_model).parameters.items()}
    own["draws"] = own["noise_draws"]
    names = ["draws", "alpha", "dim", "layers", "context", "order", "dropout", "epochs", "unroll", "learning_rate"]
    names += ["patience", "log_normaliser"]
    assert {name: float(told[name.replace("_", "-")]) for name in names} == {name: own[name] for name in names}
    assert {name: told[name] for name in ("model", "objective", "noise")} == {
        name: own[name] for name in ("model", "objective", "noise")
    }
    assert told["size"] == f"{_SIZES['words']} words, {_SIZES['subwords']} subwords"
    assert told["vocabulary"] == inspect.signature(read_corpus).parameters["vocabulary"].default


@pytest.mark.parametrize("command", [["lm"], ["lm", "fit"], ["lm", "score"]])
def test_help_imports_nothing_heavy(command):
    heavy = {"torch", "numpy", "scipy", "sklearn", "pyarrow", "matplotlib", "tokenizers", "rich"}
    script = (
        f"import sys; from infomax.cli import main; main({[*command, '--help']!r}); print(*{heavy} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.startswith(" ".join(["Usage: infomax", *command]))
    assert done.stdout.splitlines()[-1] == ""


def test_a_run_goes_on_where_it_was_and_nothing_is_thrown_away_unasked(infomax, refused, learned, text_file, elsewhere):
    shutil.copytree(learned[0], elsewhere / "run")
    call = ["lm", "fit", text_file, "--out", "run", *FAST]
    before = (elsewhere / "run" / "model" / "model.safetensors").read_bytes()
    assert "holds a run already; go on with it by --resume, throw it away by --overwrite" in refused(*call)
    assert "--draws was 10, is 5" in refused(*call[:-1], "--draws", "5", "--quiet", "--resume")
    (elsewhere / "other.txt").write_text(sentences(300))
    assert "other" in refused("lm", "fit", "other.txt", "--out", "run", *FAST, "--resume")
    assert (elsewhere / "run" / "model" / "model.safetensors").read_bytes() == before
    assert infomax(*call, "--resume").code == 0
    assert (elsewhere / "run" / "model" / "model.safetensors").read_bytes() == before
    assert infomax(*call, "--overwrite").code == 0
    assert (elsewhere / "run" / "model" / "model.safetensors").read_bytes() == before  # the same seed
