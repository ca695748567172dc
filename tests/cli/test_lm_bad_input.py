"""`infomax lm` on whatever comes in: one line that says what to do, or a count of what was left out; and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_LINES = "".join(f"the cat number{i % 5} sees the dog number{i % 7}.\n" for i in range(200))
QUICK = ("--dim", "8", "--epochs", "1", "--draws", "5", "--quiet")


@pytest.fixture
def lines(elsewhere) -> Path:
    path = elsewhere / "lines.txt"
    path.write_text(_LINES)
    return path


@pytest.fixture(scope="module")
def kept(infomax, tmp_path_factory):
    """The folders of a finished LSTM and of n-grams, which tests copy."""
    base = tmp_path_factory.mktemp("kept")
    (base / "lines.txt").write_text(_LINES)
    for name, options in (("lstm", QUICK), ("ngram", ("--model", "ngram", "--quiet"))):
        said = infomax("lm", "fit", base / "lines.txt", "--out", base / name, *options)
        assert said.code == 0, said.err
    return base


@pytest.fixture
def run(kept, elsewhere):
    """A copy of a finished run, to be damaged."""

    def copied(name: str = "lstm") -> Path:
        return Path(shutil.copytree(kept / name, elsewhere / name))

    return copied


CORPORA = {
    "missing": (None, [], "No file or folder bad.txt: check the path"),
    "empty": (b"", [], "bad.txt holds no text"),
    "blank": (b" \n\n\t\n", [], "bad.txt holds no text"),
    "one word": (b"word\n" * 50, [], "fewer than two different words"),
    "one line": (b"a few words\n", [], "too few texts (1) for a validation part: give more, or a file by --validation"),
    "not UTF-8": (
        "fine\ncafé\n".encode("latin-1"),
        [],
        "(byte 8, line 2): pass its encoding, such as --encoding latin-1",
    ),
    "UTF-16": ("some text\n".encode("utf-16"), [], "is UTF-16, not utf-8: pass --encoding utf-16"),
    "binary": (b"\x7fELF\0\0\0\1", [], "is no text (it holds null bytes)"),
    "unknown encoding": (b"a b c\n" * 50, ["--encoding", "klingon"], "Unknown encoding 'klingon'"),
    "no share": (b"a b c\n" * 50, ["--validation", "2"], "--validation 2.0 is no share of the corpus"),
    "all held out": (b"a b c\n" * 50, ["--test", "0.6", "--validation", "0.4"], "leave nothing to train on"),
    "no such file held out": (b"a b c\n" * 50, ["--test", "none.txt"], "No file or folder none.txt"),
    "tiny vocabulary": (b"a b c\n" * 50, ["--size", "2"], "--size 2 is too small"),
    "too rare": (b"a b c\n" * 50, ["--min-count", "100"], "at least 100 times"),
    "unknown vocabulary": (b"a b c\n" * 50, ["--vocabulary", "letters"], "--vocabulary letters is unknown"),
    "tokens in a file": (b"a b c\n" * 50, ["--tokens", "bad.txt"], "Could not write the tokens to bad.txt"),
}


@pytest.mark.parametrize("case", CORPORA)
def test_corpora_that_cannot_be_learned_from(refused, elsewhere, case):
    content, options, words = CORPORA[case]
    if content is not None:
        (elsewhere / "bad.txt").write_bytes(content)
    line = refused("lm", "fit", "bad.txt", *options, "--quiet", code=1 if case == "tokens in a file" else 2)
    assert words in line
    assert not (elsewhere / "runs").exists() or not list((elsewhere / "runs").iterdir())


SETTINGS = {
    "no draws": (["-k", "0"], "--draws must be a whole number of at least 1"),
    "more draws than words": (["-k", "500"], "is above the vocabulary's"),
    "alpha below 0": (["--alpha", "-1"], "--alpha must be a number between 0 and 1, got -1.0"),
    "alpha above 1": (["--alpha", "1.5"], "--alpha must be a number between 0 and 1, got 1.5"),
    "alpha that is none": (["--alpha", "nan"], "--alpha must be a number between 0 and 1, got nan"),
    "alpha in letters": (["--alpha", "x"], "'--alpha'"),
    "no such model": (["--model", "gpt"], "--model must be one of 'lstm', 'log-bilinear', 'ngram'; got 'gpt'"),
    "no such objective": (["--objective", "gan"], "--objective must be one of"),
    "no such noise": (["--noise", "white"], "--noise must be one of"),
    "normaliser of what has none": (["--log-normaliser", "1"], "belongs to --objective nce"),
    "normaliser in letters": (["--objective", "nce", "--log-normaliser", "x"], "must be a finite number, 'learned' or"),
    "infinite normaliser": (["--objective", "nce", "--log-normaliser", "inf"], "must be a finite number"),
    "negative sampling from n-grams": (["--objective", "negative-sampling", "--noise", "ngram"], "no law of words"),
    "no width": (["--dim", "0"], "--dim must be a whole number of at least 1"),
    "dropout of everything": (["--dropout", "1"], "--dropout must be a number from 0 up to 1"),
    "both": (["--resume", "--overwrite"], "goes on with the run in the folder"),
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_that_cannot_be(refused, lines, elsewhere, case):
    options, words = SETTINGS[case]
    if case == "both":
        (elsewhere / "runs" / "lm-lines").mkdir(parents=True)
    assert words in refused("lm", "fit", lines, *options, "--quiet")


def test_settings_are_refused_before_the_corpus_is_read(refused, elsewhere, monkeypatch):
    monkeypatch.setattr("infomax.cli.lm_learning.read_corpus", lambda *_, **__: pytest.fail("read"))
    assert "--draws must be" in refused("lm", "fit", "-k", "0")
    (elsewhere / "full").mkdir()
    (elsewhere / "full" / "thesis.doc").write_text("mine")
    assert "holds files that are no run (such as thesis.doc)" in refused("lm", "fit", "--out", "full")
    (elsewhere / "file").write_text("mine")
    assert "file is a file; the output must be a folder" in refused("lm", "fit", "--out", "file")


def test_long_lines_and_broken_rows_are_counted(infomax, elsewhere, monkeypatch):
    monkeypatch.setattr("infomax.data.text_stream.BLOCK", 500)
    (elsewhere / "long.txt").write_text(_LINES.replace("\n", " ", 100))
    said = infomax("lm", "fit", "long.txt", "--model", "ngram", "--quiet")
    assert said.code == 0, said.err
    assert "Left out of long.txt\n  - 7 lines of more than a million characters, cut between words" in said.out
    rows = [json.dumps({"text": line}) for line in _LINES.splitlines()]
    (elsewhere / "rows.jsonl").write_text("\n".join([*rows, "{broken"]))
    found = json.loads(infomax("lm", "fit", "rows.jsonl", "--model", "ngram", "--quiet", "--json").out)
    assert list(found["corpus"]["skipped"].values()) == [1]


def test_a_word_that_never_occurs_is_no_trouble(infomax, elsewhere):
    """<unk> has no count here, so unigram noise never draws it; held-out text has it all the same."""
    (elsewhere / "held.txt").write_text("the zebra sees the dog number1.\n")
    (elsewhere / "lines.txt").write_text(_LINES)
    said = infomax("lm", "fit", "lines.txt", "--validation", "held.txt", *QUICK, "--objective", "nce", "--json")
    found = json.loads(said.out)
    assert found["unknown"]["validation"] > found["unknown"]["train"] == 0
    assert 1 < found["validation"]["perplexity"] < 1e4


DAMAGE = {
    "no config": ("model/config.json", None, "holds no language model"),
    "broken config": ("model/config.json", b"{", "cannot be read"),
    "foreign config": ("model/config.json", b'{"format": "other"}', "of another version"),
    "no vocabulary": ("model/tokenizer.json", None, "is no vocabulary"),
    "broken vocabulary": ("model/tokenizer.json", b"{}", "is no vocabulary"),
    "no parameters": ("model/model.safetensors", None, "is damaged or of another shape"),
    "cut parameters": ("model/model.safetensors", b"\x08\0\0\0\0\0\0\0{}", "is damaged or of another shape"),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_models_that_are_damaged(refused, run, case):
    name, content, words = DAMAGE[case]
    folder = run()
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    assert words in refused("lm", "score", folder, stdin="the cat\n")


def test_a_vocabulary_of_another_model(refused, infomax, run, lines):
    folder = run()
    infomax("lm", "fit", lines, "--out", "other", "--size", "9", "--model", "ngram", "--quiet")
    shutil.copy("other/model/tokenizer.json", folder / "model" / "tokenizer.json")
    assert "has 9 tokens, the model beside it" in refused("lm", "evaluate", folder, lines, "--quiet")


def test_folders_without_a_model(refused, elsewhere):
    assert "There is no folder none; give the folder of a finished run" in refused("lm", "generate", "none")
    (elsewhere / "empty").mkdir()
    assert "holds no language model" in refused("lm", "generate", "empty")


def test_a_checkpoint_that_is_damaged_or_of_something_else(refused, run, kept, elsewhere):
    folder, path = run(), kept / "lines.txt"
    (elsewhere / "other.txt").write_text(_LINES.replace("cat", "cow"))
    call = ["lm", "fit", path, "--out", folder, "--resume", *QUICK]
    assert "--dim was 8, is 9" in refused(*call, "--dim", "9")
    line = refused("lm", "fit", "other.txt", "--out", folder, "--resume", *QUICK)
    assert "The checkpoint was made on other texts" in line
    checkpoint = folder / "checkpoint.safetensors"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    line = refused(*call)
    assert "checkpoint" in line
    assert (folder / "model" / "model.safetensors").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--temperature", "-1"], "--temperature must be a number from 0 up, got -1.0"),
        (["--temperature", "nan"], "--temperature must be a number from 0 up, got nan"),
        (["--top-k", "0"], "--top-k must lie from 1 to the vocabulary's"),
        (["--top-k", "100000"], "--top-k must lie from 1 to the vocabulary's"),
        (["--tokens", "0"], "--tokens must be a whole number of at least 1"),
        (["-n", "0"], "'-n'"),
    ],
)
def test_generation_that_cannot_be(refused, kept, options, words):
    assert words in refused("lm", "generate", kept / "ngram", *options)


def test_texts_that_cannot_be_scored(refused, infomax, kept, elsewhere):
    assert "The standard input holds no text" in refused("lm", "score", kept / "ngram")
    assert "No file none.txt" in refused("lm", "score", kept / "ngram", "none.txt")
    (elsewhere / "latin.txt").write_bytes("café\n".encode("latin-1"))
    assert "is not utf-8" in refused("lm", "score", kept / "ngram", "latin.txt")
    assert infomax("lm", "score", kept / "ngram", "latin.txt", "--encoding", "latin-1").code == 0
    (elsewhere / "empty.txt").touch()
    assert "holds no text" in refused("lm", "evaluate", kept / "ngram", "empty.txt", "--quiet")


def test_a_full_disk_keeps_what_was_there(refused, run, kept, monkeypatch):
    folder = run("ngram")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    options = ["--model", "ngram", "--quiet"]

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("infomax.report.whole_file.replace", full)
    line = refused("lm", "fit", kept / "lines.txt", "--out", "new", *options, code=1)
    assert "No space left" in line
    assert before == {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_ctrl_c_saves_and_the_run_goes_on(infomax, elsewhere):
    (elsewhere / "lines.txt").write_text(_LINES * 10)
    call = ["lm", "fit", "lines.txt", "--out", "cut", "--dim", "8", "--draws", "5", "--epochs", "400", "--quiet"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": environment}
    process = subprocess.Popen([sys.executable, "-m", "infomax.cli", *call], **pipes)
    end, log = time.monotonic() + 120, elsewhere / "cut" / "log.jsonl"
    while time.monotonic() < end and process.poll() is None and not (log.exists() and log.read_text().count("\n") > 2):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (1, "")
    assert err.startswith(
        "error: stopped before the end; the checkpoint in cut is saved: give the same command with --resume"
    )
    assert "Traceback" not in err
    assert (elsewhere / "cut" / "checkpoint.safetensors").exists()
    assert not (elsewhere / "cut" / "model").exists()
