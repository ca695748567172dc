"""Pairs learned from a second: `infomax.fit` beside sentence-transformers' trainer, on the same data and the same architecture.

    python -m benchmarks.sentence_training --pairs 100000 --into docs/benchmarks-sentences.md

One static table (the tokenizer of `benchmarks.sentences`, 256 numbers a token), mean, unit length; one-way InfoNCE at temperature
0.05, equal starts; the rival is `StaticEmbedding` with `MultipleNegativesRankingLoss`, and the same trainer with our
loss in its place. Seconds are CPU time of one thread from texts to a trained encoder, tokenising included. The trainer needs the
packages `datasets` and `accelerate`. Only our encoder learns token weights apart; the rival starts at the product.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import rows
from benchmarks.machine import machine, versions
from benchmarks.sentence_texts import HELD_OUT, Texts
from benchmarks.table import markdown, put_into
from infomax.adapters.sentence_transformers import ObjectiveLoss
from infomax.data import read_pairs
from infomax.encoders import StaticTextEncoder
from infomax.evaluation import retrieval
from infomax.objectives import info_nce
from infomax.training import fit

RESULTS = Path("benchmarks/results/sentence-training.csv")
Vectors = Callable[[list[str]], torch.Tensor]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=0, help="to learn from; 0 trains nothing")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rates", type=float, nargs="+", default=[0.01], help="learning rates of the rival's trainer")
    parser.add_argument("--into", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.pairs:
        texts = Texts([])
        for told in (False, True):  # first a small run of each, for what is imported and measured once a process
            count = options.pairs if told else 2 * options.batch
            _fitted(texts, count, options.batch, options.epochs, told)
            for rate in options.rates:
                for ours in (False, True):
                    _trained(texts, count, options.batch, options.epochs, rate, ours, told)
    if options.into:
        put_into(options.into, "training", _table())


def _fitted(texts: Texts, count: int, batch: int, epochs: int, told: bool) -> None:
    encoder, pairs = texts.encoder("random", 0), read_pairs(_pairs(texts, count))
    began = time.process_time()
    fit(
        pairs, encoder=encoder, objective=info_nce, temperature=0.05, learn_temperature=False, epochs=epochs, batch_size=batch,
        learning_rate=0.01, validation=0, test=0, patience=None, evaluate=False, progress=False,
    )  # fmt: skip
    spent = time.process_time() - began
    if told:
        vectors: Vectors = lambda t: torch.from_numpy(encoder.encode(t))  # noqa: E731
        _write("infomax.fit", 0.01, batch, epochs, count, spent, texts, vectors)


def _trained(texts: Texts, count: int, batch: int, epochs: int, rate: float, ours: bool, told: bool) -> None:
    from datasets import Dataset
    from sentence_transformers import (
        SentenceTransformer,
        SentenceTransformerTrainer,
        SentenceTransformerTrainingArguments,
    )
    from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    start: StaticTextEncoder = texts.encoder("random", 0)
    table = StaticEmbedding(texts.tokenizer, embedding_weights=start.export_table().numpy())
    model = SentenceTransformer(modules=[table, Normalize()], device="cpu")
    loss = ObjectiveLoss(model) if ours else MultipleNegativesRankingLoss(model)
    anchors, candidates = (list(side) for side in zip(*_pairs(texts, count), strict=True))
    data = Dataset.from_dict({"anchor": anchors, "positive": candidates})
    with tempfile.TemporaryDirectory() as folder:
        arguments = SentenceTransformerTrainingArguments(
            output_dir=folder, num_train_epochs=epochs, per_device_train_batch_size=batch, learning_rate=rate, warmup_steps=0.05,
            lr_scheduler_type="cosine", report_to=[], save_strategy="no", logging_strategy="no", disable_tqdm=True, use_cpu=True,
        )  # fmt: skip
        trainer = SentenceTransformerTrainer(model, arguments, train_dataset=data, loss=loss)
        began = time.process_time()
        trainer.train()
        spent = time.process_time() - began
    if told:
        name = f"sentence-transformers, {'our loss' if ours else 'its loss'}"
        vectors: Vectors = lambda t: model.encode(t, convert_to_tensor=True, show_progress_bar=False)  # noqa: E731
        _write(name, rate, batch, epochs, count, spent, texts, vectors)


def _pairs(texts: Texts, count: int) -> list[tuple[str, str]]:
    rows = np.arange(min(count, len(texts.pairs)))
    return list(zip(texts.pairs.anchors[rows], texts.pairs.candidates[rows], strict=True))


def _write(
    name: str, rate: float, batch: int, epochs: int, count: int, spent: float, texts: Texts, vectors: Vectors
) -> None:
    found = {}
    for kind, asked in texts.asked.items():
        sides = [vectors(column[np.arange(len(asked))]) for column in (asked.anchors, asked.candidates)]
        found[kind] = f"{retrieval(*sides, ids=asked.ids).mrr:.4f}"
    row: dict[str, Any] = {
        "date": date.today().isoformat(), "trainer": name, "learning_rate": rate, "batch": batch, "epochs": epochs,
        "pairs": count, "cpu_s": f"{spent:.2f}", "pairs_per_cpu_s": f"{epochs * count / spent:.0f}", **found,
        "versions": versions(("torch", "sentence-transformers", "transformers")),
    }  # fmt: skip
    rows.append(RESULTS, row)
    print(row, flush=True)


def _table() -> str:
    found = rows.read(RESULTS)
    header = ["trainer", "batch", "epochs", "pairs", "CPU s", "pairs a CPU second", *HELD_OUT]
    names = ("trainer", "batch", "epochs", "pairs", "cpu_s", "pairs_per_cpu_s", *HELD_OUT)
    end = f"On {machine()['machine']}, one thread; {found[-1]['versions']}."
    return f"{markdown(header, [[row[name] for name in names] for row in found])}\n\n{end}"


if __name__ == "__main__":
    main()
