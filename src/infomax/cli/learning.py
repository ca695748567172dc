"""One run of `infomax fit`: read, learn, write the report, say what was found and what to do with it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
import typer

from infomax.cli.console import data, note, results
from infomax.cli.models import load_model
from infomax.cli.sources import name_of, read_source
from infomax.encoders import StaticTextEncoder
from infomax.errors import InfomaxError, InputError
from infomax.report import fit_json, fit_text, shown, write_report
from infomax.training import FitResult, fit
from infomax.training.outcome import save_result
from infomax.training.processes import from_first, is_first
from infomax.training.run_folder import REPORT, claim
from infomax.training.start import DIM, MAX_TOKENS, VOCABULARY, check_device


def learn(
    source: str,
    *,
    out: Path | None,
    reading: Mapping[str, str | None],
    max_pairs: int | None,
    jobs: int | None,
    encoder: torch.nn.Module | Callable[..., Any] | None,
    settings: Mapping[str, Any],
    files: Mapping[str, Any],
    quiet: bool,
    json: bool,
) -> None:
    """Fit on `source` and tell.

    Args:
        source, reading, max_pairs, jobs: see `read_source`; `jobs` is also the number of threads.
        out: the run folder; by default named after the source.
        encoder, settings, files: arguments of `infomax.fit`.
        quiet: no progress, no notes.
        json: tell a program, not a person.

    Raises:
        InputError: pairs, settings or folder that cannot be right.
        InfomaxError: the run failed or was interrupted.
    """
    if jobs is not None:
        torch.set_num_threads(jobs)
    check_device(settings.get("device"))
    folder = out or Path("runs") / name_of(source)
    if from_first(folder.exists):  # refuse a taken folder before minutes are spent on reading
        from_first(partial(claim, folder, resume=files["resume"], overwrite=files["overwrite"]))
    quiet = quiet or not is_first()
    start = perf_counter()
    pairs = read_source(source, max_pairs=max_pairs, jobs=jobs, seed=settings["seed"], quiet=quiet, **reading)
    reading_seconds = perf_counter() - start
    note(f"{len(pairs):,} pairs from {source}; the run goes to {folder}", quiet=quiet)
    try:
        result = fit(pairs, encoder=encoder, out=folder, progress=False if quiet else None, **settings, **files)
    except InfomaxError:
        with suppress(OSError):
            folder.rmdir()  # nothing was written: leave no empty folder behind
        raise
    if not is_first():
        raise typer.Exit(int(result.interrupted))  # the first process tells
    if result.interrupted:
        raise InfomaxError(
            f"stopped before the end; the checkpoint in {folder} is saved: give the same command with --resume (and "
            "without --overwrite) to go on."
        )
    result = replace(
        result, seconds={**result.seconds, "read": reading_seconds}
    )  # `fit` was given what is read already
    save_result(folder, result)
    tell(result, folder, json=json)


def beginning(model: Path | None, dim: int | None, vocabulary: int | None, seed: int) -> Any:
    """The encoder that a run begins with: a saved one, one made to measure, or None for the default.

    Raises:
        InputError: sizes were asked of an encoder that has its own.
    """
    if model is None:
        sizes: dict[str, Any] = {
            "dim": dim or DIM,
            "vocabulary_size": vocabulary or VOCABULARY,
            "max_tokens": MAX_TOKENS,
        }
        return partial(StaticTextEncoder.from_texts, seed=seed, **sizes) if dim or vocabulary else None
    if dim or vocabulary:
        raise InputError("--encoder brings its own --dim and --vocabulary; leave these out, or start a new encoder.")
    return load_model(model)


def tell(result: FitResult, folder: Path, *, json: bool) -> None:
    """Write the report; print what was found, where it is, and a search to try."""
    report = write_report(result, folder / REPORT)
    if json:
        data({**fit_json(result), "report": str(report)})
        return
    results(fit_text(result))
    results(f"\nReport  {report}\nModel   {folder / 'model'}")
    results(f"Search  infomax search {shlex.quote(str(folder))} {_query(result)}")


def _query(result: FitResult) -> str:
    """The beginning of a held-out anchor, as a query that the reader may paste."""
    examples = result.evaluation.examples if result.evaluation is not None else ()
    words = shown(examples[0][0], 200).split(". ")[0].split()[:8] if examples else ["your", "query"]
    return shlex.quote(" ".join(words).rstrip(".,;:"))
