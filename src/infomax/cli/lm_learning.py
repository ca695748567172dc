"""One run of `infomax lm fit`: read, learn, write the report, say what was found and what to do with it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, replace
from inspect import signature
from pathlib import Path
from time import perf_counter
from typing import Any

import torch

from infomax.candidates import NGram
from infomax.cli.console import data, note, results
from infomax.cli.sources import name_of
from infomax.errors import InfomaxError
from infomax.language import NGramModel, TokenCorpus, fit_language_model, read_corpus
from infomax.language.settings import LanguageSettings
from infomax.report import LanguageReport, Sample, language_json, language_text, write_language
from infomax.training.journal import Bar
from infomax.training.run_folder import REPORT, RESULT, claim

_READING = {"validation", "test", "vocabulary", "size", "min_count", "lowercase", "pretokenised"}
_READING |= {"column", "encoding", "delimiter", "seed"}
_SAMPLES, _LENGTH, _TEMPERATURE, _BEGUN = (
    6,
    40,
    0.7,
    4,
)  # samples, of so many tokens; every other one is begun by 4 words


def learn(
    corpus: str, *, out: Path | None, tokens: Path | None, jobs: int | None, quiet: bool, json: bool, **given: Any
) -> None:
    """Fit on `corpus` and tell.

    Args:
        out: the run folder; by default named after the corpus.
        tokens: folder that keeps the corpus as numbers.
        given: arguments of `read_corpus` and `fit_language_model` as the command line has them; None leaves them be.

    Raises:
        InputError: a corpus, settings or a folder that cannot be right.
        InfomaxError: the run failed or was interrupted.
    """
    if jobs is not None:
        torch.set_num_threads(jobs)
    folder = out or Path("runs") / f"lm-{name_of(corpus)}"
    files = {name: given.pop(name) for name in ("resume", "overwrite", "tensorboard")}
    if folder.exists():  # refuse a taken folder before minutes are spent on reading
        claim(folder, resume=files["resume"], overwrite=files["overwrite"])
    reading, settings = _parted(given)
    _check(settings)
    start = perf_counter()
    with Bar(False if quiet else None) as bar:
        bar.describe("reading the corpus")
        read = read_corpus(corpus, folder=tokens, **reading)
    seconds = perf_counter() - start
    note(f"{len(read.train):,} tokens from {corpus} to learn from; the run goes to {folder}", quiet=quiet)
    try:
        result = fit_language_model(read, out=folder, progress=False if quiet else None, **settings, **files)
    except InfomaxError:
        with suppress(OSError):
            folder.rmdir()  # nothing was written: leave no empty folder behind
        raise
    if result.interrupted:
        raise InfomaxError(
            f"stopped before the end; the checkpoint in {folder} is saved: give the same command with --resume (and "
            "without --overwrite) to go on."
        )
    result = replace(result, seconds={"read": seconds, **result.seconds})
    report = LanguageReport(result, read, unigram=_unigram(read), samples=_samples(result.model, read))
    _tell(report, folder, json=json)


def _parted(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Arguments of `read_corpus` and of `fit_language_model`; options of the command line in the words of these."""
    said = {name: value for name, value in given.items() if value is not None}
    said["shared"], said["tied"] = not said.pop("own_draws"), not said.pop("untied")
    for name in ("validation", "test", "log_normaliser"):
        if name in said:
            with suppress(ValueError):  # else a file, or a word
                said[name] = float(said[name])
    reading = {name: value for name, value in said.items() if name in _READING}
    return reading, {name: value for name, value in said.items() if name not in _READING or name == "seed"}


def _check(settings: Mapping[str, Any]) -> None:
    """Refuse settings that cannot be before the corpus is read."""
    default = {name: argument.default for name, argument in signature(fit_language_model).parameters.items()}
    all_of_them = {**default, **settings}
    all_of_them["batch_size"] = all_of_them["batch_size"] or 1
    LanguageSettings(**{field.name: all_of_them[field.name] for field in fields(LanguageSettings)})


def _unigram(corpus: TokenCorpus) -> Any:
    """The exact reading of word frequencies alone, on the part that is reported on."""
    held_out = corpus.test if len(corpus.test) else corpus.validation
    if not len(held_out):
        return None
    return NGramModel(corpus.vocabulary, NGram.fit(corpus.train, corpus.vocabulary.size, 1)).evaluate(held_out)


def _samples(model: Any, corpus: TokenCorpus) -> list[Sample]:
    """Texts that the model writes, every other one begun by the first words of a held-out text."""
    held_out = corpus.test if len(corpus.test) else corpus.validation
    texts = [line for line in corpus.vocabulary.decode(held_out[:2000]).split("\n") if len(line.split()) > 2 * _BEGUN]
    prompts = [" ".join(line.split()[:_BEGUN]) for line in texts]
    written = []
    for seed in range(_SAMPLES):
        prompt = prompts[seed // 2] if seed % 2 and seed // 2 < len(prompts) else ""
        text = model.generate(prompt, _LENGTH, temperature=_TEMPERATURE, seed=seed)
        written.append(Sample(prompt, text, _TEMPERATURE))
    return written


def _tell(report: LanguageReport, folder: Path, *, json: bool) -> None:
    """Write the report; print what was found, where it is, and commands to try."""
    page = write_language(report, folder / REPORT)
    write_language(report, folder / RESULT)
    if json:
        data({**language_json(report), "report": str(page)})
        return
    run = shlex.quote(str(folder))
    begun = next((sample.prompt for sample in report.samples if sample.prompt), "The")
    results(language_text(report))
    results(f"\nReport    {page}\nModel     {folder / 'model'}")
    results(f"Generate  infomax lm generate {run} {shlex.quote(begun)} --temperature 0.7")
    results(f"Score     echo {shlex.quote(begun)} | infomax lm score {run}")
    results(f"Evaluate  infomax lm evaluate {run} other.txt")
