"""What a saved language model is used for: to score texts, to write some, to be read on another corpus."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from pathlib import Path
from typing import Any

import torch

from infomax.bounds.readout import NATS_PER_BIT
from infomax.cli.console import data, note, results
from infomax.cli.models import run_record
from infomax.cli.texts import read_texts
from infomax.errors import InputError
from infomax.language import TextScores, load_language_model, read_corpus
from infomax.report import language_reading_json, language_reading_text, shown

_SHOWN = 100  # characters of a text


def score(run: Path, source: str, *, reading: Mapping[str, Any], unit: str, jobs: int | None, json: bool) -> None:
    """Print how well each text is told, and all of them.

    Raises:
        InputError: no model, no texts.
    """
    _threads(jobs)
    model = _model(run)
    texts, skipped = read_texts(source, reading["column"], encoding=reading["encoding"], delimiter=reading["delimiter"])
    found = model.score(texts)
    scale = NATS_PER_BIT if unit == "bits" else 1.0
    rows = list(zip(found.nats.tolist(), found.tokens.tolist(), found.unknown.tolist(), texts, strict=True))
    if json:
        lines = [
            {"nats": nats, "perplexity": _perplexity(nats, tokens), "tokens": tokens, "unknown": unknown, "text": text}
            for nats, tokens, unknown, text in rows
        ]
        data({"texts": lines, **_total(found), "skipped": dict(skipped)})
        return
    results(f"{unit:>10}  perplexity  tokens  unknown  text")
    for nats, tokens, unknown, text in rows:
        figures = f"{nats / scale:>10,.2f}  {_perplexity(nats, tokens):>10,.1f}  {tokens:>6,}  {unknown:>7,}"
        results(f"{figures}  {shown(text, _SHOWN)}")
    total = _total(found)
    results(
        f"{total['nats'] / scale:>10,.2f}  {total['perplexity']:>10,.1f}  {total['tokens']:>6,}  {total['unknown']:>7,}  "
        f"all {len(texts):,} texts, their ends included"
    )
    for reason, count in skipped.items():
        note(f"left out: {count:,} {reason}", quiet=False)


def generate(run: Path, prompt: str, *, texts: int, seed: int, settings: Mapping[str, Any], json: bool) -> None:
    """Print texts that the model writes, the prompt included.

    Raises:
        InputError: no model, or settings that cannot be right.
    """
    model = _model(run)
    unknown = model.score([prompt]).unknown[0]
    if unknown:
        note(f"{unknown} of the prompt's words are not in the model's vocabulary: it reads them as <unk>.", quiet=json)
    written = [model.generate(prompt, seed=seed + i, **settings) for i in range(texts)]
    if json:
        data({"prompt": prompt, "texts": written, "seed": seed, **settings})
        return
    for text in written:
        results(shown(model.vocabulary.joined(prompt, text), 10_000))


def evaluate(run: Path, source: str, *, reading: Mapping[str, Any], jobs: int | None, quiet: bool, json: bool) -> None:
    """Print the exact perplexity on a corpus.

    Raises:
        InputError: no model, no text.
    """
    _threads(jobs)
    model = _model(run)
    corpus = read_corpus(source, validation=0, test=0, vocabulary=model.vocabulary, **reading)
    note(f"{len(corpus.train):,} tokens", quiet=quiet)
    found = model.evaluate(corpus.train)
    seen = _seen_before(corpus.source, run_record(run))
    if json:
        data({**language_reading_json(found, corpus), **({"seen": seen} if seen else {})})
        return
    results(language_reading_text(found, corpus))
    if seen:
        results(f"\nNote: {seen}.")


def _model(run: Path) -> Any:
    if not run.is_dir():
        raise InputError(f"There is no folder {run}; give the folder of a finished run, such as runs/lm-python.")
    return load_language_model(run)


def _threads(jobs: int | None) -> None:
    if jobs is not None:
        torch.set_num_threads(jobs)


def _perplexity(nats: float, tokens: int) -> float:
    return exp(min(nats / tokens, 700.0))


def _total(found: TextScores) -> dict[str, Any]:
    """The figures of all texts together."""
    nats, tokens = float(found.nats.sum()), int(found.tokens.sum())
    return {"nats": nats, "perplexity": found.perplexity, "tokens": tokens, "unknown": int(found.unknown.sum())}


def _seen_before(source: str, record: Mapping[str, Any]) -> str:
    """Why these figures may flatter the model: it was fitted to a source of this name; else empty."""
    if record.get("corpus", {}).get("source") != source:
        return ""
    return (
        "the model was fitted to a corpus of the same name: if it is that one, most of it was learned from, and these figures "
        "flatter the model (those of its held-out part are in its report)"
    )
