"""What learning from noise costs a language model: one model, one budget of epochs, every objective, exact perplexities.

    python -m benchmarks.language ptb brown
    python -m benchmarks.language ptb --only "NCE, k = 100"
    python -m benchmarks.language --into docs/benchmarks-language.md

Each run appends its line to the results as it ends. Seconds are CPU time of the training steps alone, one thread: looks at the
validation part, which are exact for every objective, cost the same everywhere. All settings but the objective's own are those
that were chosen for maximum likelihood, on the validation part.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import torch

from benchmarks import rows
from benchmarks.language_corpora import CACHE, brown, ptb
from benchmarks.machine import machine
from benchmarks.table import markdown, put_into
from infomax.language import TokenCorpus, fit_language_model, read_corpus
from infomax.language.task import LanguageTask

RESULTS = Path("benchmarks/results/language.csv")
COMMON = {"dim": 128, "epochs": 4, "learning_rate": 0.003, "dropout": 0.2, "tied": True, "patience": None}
MODELS: dict[str, dict[str, Any]] = {
    "ptb": {"model": "lstm", "batch_size": 32},
    "brown": {"model": "log-bilinear", "batch_size": 1024, "context": 4},
}
RUNS: dict[str, dict[str, Any]] = {
    "maximum likelihood": {"objective": "mle"},
    "NCE, k = 10": {"objective": "nce", "noise_draws": 10},
    "NCE, k = 25": {"objective": "nce", "noise_draws": 25},
    "NCE, k = 100": {"objective": "nce", "noise_draws": 100},
    "NCE, k = 500": {"objective": "nce", "noise_draws": 500},
    "NCE, k = 2,500": {"objective": "nce", "noise_draws": 2500},
    "NCE, k = 100, c(h) learned": {"objective": "nce", "noise_draws": 100, "log_normaliser": "context"},
    "NCE, k = 500, c(h) learned": {"objective": "nce", "noise_draws": 500, "log_normaliser": "context"},
    "NCE, k = 25, trigram noise": {"objective": "nce", "noise_draws": 25, "noise": "ngram"},
    "NCE, k = 100, trigram noise": {"objective": "nce", "noise_draws": 100, "noise": "ngram"},
    "NCE, k = 100, own draws": {"objective": "nce", "noise_draws": 100, "shared": False},
    "NCE, k = 100, own draws, c(h) learned": {
        "objective": "nce",
        "noise_draws": 100,
        "shared": False,
        "log_normaliser": "context",
    },
    "NCE, k = 100, own draws, c(h) learned, α = 0.75": {
        "objective": "nce",
        "noise_draws": 100,
        "shared": False,
        "log_normaliser": "context",
        "alpha": 0.75,
    },
    "ranking, k = 100": {"objective": "ranking", "noise_draws": 100},
    "ranking, k = 500": {"objective": "ranking", "noise_draws": 500},
    "ranking, k = 2,500": {"objective": "ranking", "noise_draws": 2500},
    "negative sampling, k = 100": {"objective": "negative-sampling", "noise_draws": 100},
    "NCE, k = 100, by rows": {"objective": "nce", "noise_draws": 100, "sparse": True},
    "ranking, k = 500, by rows": {"objective": "ranking", "noise_draws": 500, "sparse": True},
    "Kneser-Ney, order 5": {"model": "ngram", "order": 5},
}
CORPORA: dict[str, tuple[Callable[[], dict[str, Path]], dict[str, Any]]] = {
    "ptb": (ptb, {}),
    "brown": (brown, {"size": 10_000}),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpora", nargs="*", choices=[*CORPORA, []])
    parser.add_argument("--only", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--into", type=Path, help="put the tables of all results into this page")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.corpora:
        corpus = read(name)
        done = {row["run"] for row in rows.read(RESULTS) if row["corpus"] == name}
        for run in arguments.only:
            if run not in done:
                row = measured(name, run, corpus)
                rows.append(RESULTS, row)
                print(row, flush=True)
    if arguments.into:
        for name in CORPORA:
            put_into(arguments.into, f"language {name}", table(name))


def read(name: str) -> TokenCorpus:
    """A corpus whose parts are files; words stand between blanks."""
    fetch, options = CORPORA[name]
    files = fetch()
    return read_corpus(
        files["train"], validation=files["valid"], test=files["test"], pretokenised=True, folder=CACHE / name, **options
    )


def measured(name: str, run: str, corpus: TokenCorpus) -> dict[str, Any]:
    """Fit once; the line for the results."""
    spent, step = [0.0, 0], LanguageTask.step

    def timed(task: LanguageTask, *given: Any) -> Any:
        start = time.process_time()
        try:
            return step(task, *given)
        finally:
            spent[0], spent[1] = spent[0] + time.process_time() - start, spent[1] + 1

    LanguageTask.step = timed  # type: ignore[method-assign]
    try:
        result = fit_language_model(corpus, **{**COMMON, **MODELS[name], **RUNS[run]}, baseline=False, progress=False)
    finally:
        LanguageTask.step = step  # type: ignore[method-assign]
    assert result.test is not None
    assert result.validation is not None
    return {
        "date": date.today().isoformat(),
        "corpus": name,
        "run": run,
        "validation": f"{result.validation.perplexity:.3f}",
        "test": f"{result.test.perplexity:.3f}",
        "bare": f"{result.uncorrected.perplexity:.1f}" if result.uncorrected else "",
        "log_z": f"{result.test.log_normaliser:.4f}",
        "log_z_spread": f"{result.test.log_normaliser_spread:.4f}",
        "steps": spent[1],
        "seconds": f"{result.seconds.get('train', result.seconds['count']):.1f}",
        "cpu_s": f"{spent[0]:.1f}",
        "settings": " ".join(f"{key}={value}" for key, value in {**COMMON, **MODELS[name], **RUNS[run]}.items()),
    }


def table(name: str) -> str:
    """Runs in their order, each beside maximum likelihood."""
    found = {row["run"]: row for row in rows.read(RESULTS) if row["corpus"] == name}
    if "maximum likelihood" not in found:
        return f"No results for {name} yet."
    mle = found["maximum likelihood"]
    header = ["objective", "test perplexity", "over ML", "log Z, mean ± sd", "CPU s", "ms a step", "times ML's speed"]
    lines = [_line(row, mle) for run in RUNS if (row := found.get(run))]
    return markdown(header, lines) + f"\n\nOn {machine()['machine']}, one thread, torch {machine()['torch']}."


def _line(row: dict[str, str], mle: dict[str, str]) -> list[str]:
    test, cpu, steps = float(row["test"]), float(row["cpu_s"]), int(row["steps"])
    over = test / float(mle["test"]) - 1
    log_z = f"{float(row['log_z']):.2f} ± {float(row['log_z_spread']):.2f}"
    cost = [f"{cpu:,.0f}", f"{1e3 * cpu / steps:.1f}", f"{float(mle['cpu_s']) / cpu:.1f}"] if steps else ["–"] * 3
    return [row["run"], f"{test:.1f}", f"{100 * over:+.1f} %", log_z, *cost]


if __name__ == "__main__":
    main()
