"""From what a user names as PAIRS, to `Pairs`. Commands import this once their arguments are parsed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from infomax.cli.wording import in_options
from infomax.data import Pairs, python_pairs, read_pairs
from infomax.errors import InputError
from infomax.training.parts import take


def read_source(
    source: str,
    *,
    max_pairs: int | None = None,
    jobs: int | None = None,
    seed: int = 0,
    quiet: bool = False,
    **columns: str | None,
) -> Pairs:
    """Pairs of a file, of a folder of Python source, or of `python`, this environment's.

    Args:
        source: see `options.Source`.
        max_pairs: of Python source whole files are kept, of any other a random choice of rows.
        jobs: processes that parse Python source.
        seed: of the random choice.
        quiet: show no progress.
        columns: anchor, candidate, group, label, encoding, delimiter of `read_pairs`.

    Raises:
        InputError: the source cannot give pairs.
    """
    if not is_python(source):
        return _at_most(read_pairs(source, **columns), max_pairs, seed)
    if named := [name for name, value in columns.items() if value is not None]:
        raise InputError(f"Python source has no columns, so --{named[0]} means nothing there; leave such options out.")
    with _parsing(quiet) as progress:
        roots = None if source == "python" else source
        pairs = python_pairs(roots, jobs=jobs, max_pairs=max_pairs, progress=progress)
    skipped = {
        in_options(reason, {"max_pairs": "--max-pairs"}): count for reason, count in pairs.report.skipped.items()
    }
    return replace(pairs, report=replace(pairs.report, skipped=skipped))


def is_python(source: str) -> bool:
    """Whether the source is Python code: the word `python`, a folder or a .py file."""
    return source == "python" or Path(source).suffix == ".py" or Path(source).expanduser().is_dir()


def name_of(source: str) -> str:
    """A short name for what a source gives: "pairs" for "data/pairs.csv.gz"."""
    if source == "python":
        return source
    path = Path(source).expanduser()
    return path.resolve().name if path.is_dir() else path.name.split(".")[0] or "pairs"


def _at_most(pairs: Pairs, count: int | None, seed: int) -> Pairs:
    if count is None or len(pairs) <= count:
        return pairs
    rows = np.sort(np.random.default_rng(seed).permutation(len(pairs))[:count])
    skipped = {**pairs.report.skipped, "rows beyond --max-pairs": len(pairs) - count}
    return replace(take(pairs, rows), report=replace(pairs.report, kept=count, skipped=skipped))


@contextmanager
def _parsing(quiet: bool) -> Iterator[Any]:
    """A progress bar of parsed files where a person is watching: called with (files done, files to parse)."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("parsing Python source", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
