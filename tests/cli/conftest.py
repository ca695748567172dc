"""The command line in this process, on small pairs whose two sides say the same in two invented languages."""

from __future__ import annotations

import csv
import io
import random
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

from infomax.cli import main

FAST = ("--epochs", "6", "--batch-size", "32", "--dim", "32", "--vocabulary", "400", "--quiet")
_WORDS = [f"{a}{b}{c}" for a in "bdgklm" for b in "aeiou" for c in ("n", "r", "st", "lk")]


@dataclass(frozen=True)
class Outcome:
    code: int
    out: str
    err: str


def call(*arguments: object, stdin: str | bytes = "") -> Outcome:
    out, err, before = io.StringIO(), io.StringIO(), sys.stdin
    sys.stdin = io.TextIOWrapper(io.BytesIO(stdin if isinstance(stdin, bytes) else stdin.encode()))
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = main([str(argument) for argument in arguments])
    finally:
        sys.stdin = before
    return Outcome(code, out.getvalue(), err.getvalue())


def rows(count: int, seed: int = 0) -> list[tuple[str, str]]:
    """Sentences, and the same with every word spelled backwards."""
    rng = random.Random(seed)
    texts = [[*rng.choices(_WORDS, k=5), f"number{i}"] for i in range(count)]
    return [(" ".join(text), " ".join(word[::-1] for word in text)) for text in texts]


@pytest.fixture(scope="session")
def fast() -> tuple[str, ...]:
    """Settings that fit in a second."""
    return FAST


@pytest.fixture(scope="session")
def infomax() -> Callable[..., Outcome]:
    """Run the command line on the given arguments."""
    return call


@pytest.fixture(scope="session")
def some_rows() -> Callable[..., list[tuple[str, str]]]:
    return rows


@pytest.fixture
def refused(infomax):
    """Run the command line, which must refuse with exit code 2 (or another); gives its one line on the error stream."""

    def run(*arguments: object, code: int = 2, stdin: str | bytes = "") -> str:
        outcome = infomax(*arguments, stdin=stdin)
        assert outcome.out == ""
        (line,) = outcome.err.splitlines()
        assert line.startswith("error: ")
        assert outcome.code == code, line
        return line

    return run


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch) -> Path:
    """Every test works in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("INFOMAX_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(scope="session")
def pairs_file(tmp_path_factory) -> Path:
    """300 good rows, and two that are none."""
    path = tmp_path_factory.mktemp("data") / "pairs.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["question", "answer", "grade", "name"])
        writer.writerows([a, b, i % 7 / 7, f"item {i}"] for i, (a, b) in enumerate(rows(300)))
        writer.writerow(["an anchor alone", "", "0.5", "nothing"])
        file.write("one cell\n")
    return path


@dataclass(frozen=True)
class Run:
    """A finished run: its folder, and what the command line said."""

    folder: Path
    said: Outcome


@pytest.fixture(scope="session")
def finished(pairs_file, tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("runs") / "pairs"
    said = call("fit", pairs_file, "--out", folder, "--label", "name", *FAST)
    assert said.code == 0, said.err
    return Run(folder, said)
