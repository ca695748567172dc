"""What helps a static sentence encoder: objectives, starts and pairs, each trained here, one budget, three seeds.

    python -m benchmarks.sentences --sts DEV.tsv [OTHER.tsv ...]
    python -m benchmarks.sentences --into docs/benchmarks-sentences.md

Each run appends its line to the results as it ends. `--sts` names files with columns score, s1, s2 (STS Benchmark); texts like
theirs are left out of the training pairs. The vocabulary and what does not change between runs is made once, in the cache.
"""

from __future__ import annotations

import argparse
import copy
import time
from datetime import date
from functools import partial
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import rows
from benchmarks.machine import machine
from benchmarks.sentence_texts import HELD_OUT, Texts, read_sts
from benchmarks.table import markdown, put_into
from infomax import objectives
from infomax.encoders import StaticTextEncoder
from infomax.evaluation import retrieval, spearman
from infomax.evaluation.held_out import embed_pairs
from infomax.scores import Scores
from infomax.training import fit

RESULTS = Path("benchmarks/results/sentences.csv")
BATCH = 1024


def main() -> None:
    options = _options()
    torch.set_num_threads(1)
    if options.sts:
        texts = Texts([read_sts(path) for path in options.sts])
        for seed in options.seeds:
            for run in options.only:
                if (run, str(seed)) not in {(row["run"], row["seed"]) for row in rows.read(RESULTS)}:
                    row = measured(texts, run, seed)
                    rows.append(RESULTS, row)
                    print(row, flush=True)
    if options.into:
        put_into(options.into, "sentences", table())


KINDS = (
    "words, definition",
    "definition, example",
    "example, synonym",
    "synset, hypernym",
    "package short, long",
    "verse, verse",
)
RUNS: dict[str, dict[str, Any]] = {
    "InfoNCE, both directions": {},
    "start: GloVe": {"start": "GloVe", "learning_rate": 0.003},
    "start: GloVe and random": {"start": "both"},
    "InfoNCE, one way": {"objective": objectives.info_nce},
    "hard negatives, β = 0.5": {"objective": partial(objectives.hard_negative, beta=0.5)},
    "debiased, τ = 0.0001": {"objective": partial(objectives.debiased, tau_plus=1e-4)},
    "GIST, guide: GloVe's mean": {"objective": "gist"},
    "SigLIP": {"objective": partial(objectives.sigmoid, bias=-log(BATCH - 1)), "temperature": 0.1},
    "triplet, margin 0.2": {"objective": partial(objectives.triplet, margin=0.2), "temperature": 1.0},
    "triplet, margin 0.2, hardest": {
        "objective": partial(objectives.triplet, margin=0.2, negatives="hardest"),
        "temperature": 1.0,
    },
    "temperature fixed at 0.07": {"learn_temperature": False},
    "without synonyms in examples": {"kinds": [kind for kind in KINDS if kind != "example, synonym"]},
    "without verses": {"kinds": [kind for kind in KINDS if kind != "verse, verse"]},
    "without packages": {"kinds": [kind for kind in KINDS if kind != "package short, long"]},
    "untrained": {"epochs": 0},
    "untrained GloVe": {"epochs": 0, "start": "GloVe"},
    "untrained GloVe and random": {"epochs": 0, "start": "both"},
}


def measured(texts: Texts, run: str, seed: int) -> dict[str, Any]:
    """Train once; the line for the results."""
    options = {
        "start": "random",
        "kinds": KINDS,
        "objective": partial(objectives.info_nce, symmetric=True),
        **RUNS[run],
    }
    encoder = texts.encoder(options.pop("start"), seed)
    gist = options["objective"] == "gist"
    found = texts.prepared_for(encoder, options.pop("kinds"), ids=not gist)
    if gist:
        options["objective"] = Gist(texts.guide)
    if "triplet" in run:
        options["learn_temperature"] = False
    began, cpu, temperature, seconds = time.perf_counter(), time.process_time(), "", 0.0
    if options.pop("epochs", 1):
        plain = {"epochs": 1, "batch_size": BATCH, "learning_rate": 0.01, "validation": 0, "test": 0, "patience": None}
        result = fit(found, encoder=encoder, evaluate=False, progress=False, seed=seed, **{**plain, **options})
        temperature, seconds = f"{result.temperature:.4f}", time.perf_counter() - began
    cpu = time.process_time() - cpu
    scored = [f"{spearman(encoder, part).value:.2f}" for part in texts.scored]
    retrieved = {kind: f"{retrieval(*embed_pairs(encoder, p), ids=p.ids).mrr:.4f}" for kind, p in texts.asked.items()}
    return {
        "date": date.today().isoformat(),
        "run": run,
        "seed": seed,
        "pairs": len(found),
        "sts": " ".join(scored),
        **retrieved,
        "sentences_per_s": f"{speed(encoder, texts):.0f}",
        "seconds": f"{seconds:.1f}",
        "cpu_s": f"{cpu:.1f}",
        "temperature": temperature,
    }


class Gist:
    """GISTEmbed's mask by fixed vectors of all pairs, whose ids are their row numbers; no pair has a twin by id here."""

    def __init__(self, guide: tuple[torch.Tensor, torch.Tensor]) -> None:
        self.guide = guide

    def __call__(self, scores: Scores) -> torch.Tensor:
        ids = scores.true_pairs.ids
        assert ids is not None
        rows = ids.column_keys
        judge = Scores(self.guide[0][rows], self.guide[1][rows], anchor_ids=rows, candidate_ids=rows)
        return objectives.info_nce(objectives.guided(scores, judge))


def speed(encoder: StaticTextEncoder, texts: Texts) -> float:
    """Sentences a CPU second, one thread, from text to vector: the best of three rounds over scored texts, all words new."""
    sentences = [text for part in texts.scored for one, other, _ in part for text in (one, other)]
    spent = []
    for _ in range(3):
        fresh = copy.deepcopy(encoder)  # copies do not remember words
        start = time.process_time()
        fresh.encode(sentences)
        spent.append(time.process_time() - start)
    return len(sentences) / min(spent)


def table() -> str:
    """Means over seeds, with standard errors where there are several."""
    found = rows.read(RESULTS)
    seeds: dict[str, list[dict[str, str]]] = {}
    for row in found:
        seeds.setdefault(row["run"], []).append(row)
    parts = max((len(row["sts"].split()) for row in found), default=0)
    header = ["run", "seeds", *(f"STS {part + 1}" for part in range(parts)), *HELD_OUT, "CPU s"]
    lines = []
    for run in RUNS:
        if run in seeds:
            of = seeds[run]
            sts = [_mean([float(row["sts"].split()[part]) for row in of], 1) for part in range(parts)]
            ranks = [_mean([float(row[kind]) for row in of], 3) for kind in HELD_OUT]
            lines.append([run, str(len(of)), *sts, *ranks, _mean([float(row["cpu_s"]) for row in of], 0)])
    fastest = max((float(row["sentences_per_s"]) for row in found), default=0)
    end = f"On {machine()['machine']}, one thread, torch {machine()['torch']}; {fastest:,.0f} sentences encoded a CPU second."
    return f"{markdown(header, lines)}\n\n{end}"


def _mean(values: list[float], digits: int) -> str:
    mean = f"{np.mean(values):.{digits}f}"
    return f"{mean} ± {np.std(values, ddof=1) / len(values) ** 0.5:.{digits}f}" if len(values) > 1 else mean


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--sts", nargs="+", type=Path, default=[], help="files of scored pairs; without any, nothing is trained"
    )
    parser.add_argument("--only", nargs="+", choices=list(RUNS), default=list(RUNS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--into", type=Path, help="put the table of all results into this page")
    return parser.parse_args()


if __name__ == "__main__":
    main()
