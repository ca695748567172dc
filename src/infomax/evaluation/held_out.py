"""The reported numbers, on pairs that neither training nor model selection has seen.

The readout is InfoNCE over *all* held-out candidates with nothing masked, so that its value may be called a lower
bound on the mutual information of the two sides. Retrieval, on the other hand, skips second copies of a right answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from infomax.bounds import Readout, readout
from infomax.data import Pairs, read_pairs
from infomax.encoders import lineage
from infomax.errors import InputError
from infomax.evaluation.lexical import bm25
from infomax.evaluation.ranking import retrieval
from infomax.evaluation.result import Evaluation, Retrieval
from infomax.evaluation.vectors import embed, is_text, prepared, sides
from infomax.scores import Scores

Example = tuple[str, str, list[tuple[str, float]]]


@torch.no_grad()
def evaluate(
    encoder: Any,
    pairs: Any,
    *,
    temperature: float = 0.05,
    normalize: bool = True,
    untrained: Any = None,
    baseline: bool = True,
    ks: Sequence[int] = (1, 5, 10),
    samples: int = 5000,
    examples: int = 8,
    chunk: int = 1024,
    seed: int = 0,
) -> Evaluation:
    """Read the information, the retrieval and some examples off held-out pairs.

    Args:
        encoder: a module for both sides, or a tuple of two modules.
        pairs: anything `read_pairs` takes.
        temperature: of the scores (inner product / temperature); the fitted one makes the bound its best.
        normalize: bring vectors to unit length first.
        untrained: the encoder before training, or its `Retrieval` where that is known already.
        baseline: also run BM25 (texts only).
        ks: how deep recall looks.
        samples: how many scores of true, and of chance, pairs to keep for histograms.
        examples: how many anchors to show with their five nearest candidates.
        chunk: rows encoded at a time.
        seed: of the samples and examples.

    Raises:
        InputError: fewer than two pairs, or an encoder that gives no vectors.
    """
    pairs = read_pairs(pairs)
    if len(pairs) < 2:
        raise InputError(
            f"Evaluation needs at least two pairs (the others are the candidates to tell from), got {len(pairs)}."
        )
    anchors, candidates = embed_pairs(encoder, pairs, normalize=normalize, chunk=chunk)
    scores = Scores(anchors, candidates, temperature=temperature)
    rng = np.random.default_rng(seed)
    positive, negative = _samples(anchors, candidates, temperature, samples, rng)
    found = readout(scores, groups=torch.as_tensor(pairs.groups))
    return Evaluation(
        readout=as_score(found, lineage.seen_before(pairs, *sides(encoder))),
        fitted=retrieval(anchors, candidates, ids=pairs.ids, ks=ks),
        untrained=_untrained(untrained, pairs, normalize, ks, chunk),
        bm25=_lexical(pairs, ks) if baseline else None,
        positive_scores=positive,
        negative_scores=negative,
        examples=_examples(anchors, candidates, pairs, rng.permutation(len(pairs))[:examples]),
    )


def as_score(found: Readout, why: str) -> Readout:
    """The same reading where `why` it is no bound is empty; else one that says so."""
    return found if not why else replace(found, side="score", reason=why, warnings=(*found.warnings, why))


def embed_pairs(
    encoder: Any, pairs: Pairs, *, normalize: bool = True, chunk: int = 1024
) -> tuple[torch.Tensor, torch.Tensor]:
    """(n, d) anchors and (n, d) candidates."""
    a, c = sides(encoder)
    return (
        embed(a, prepared(a, pairs.anchors), normalize=normalize, chunk=chunk),
        embed(c, prepared(c, pairs.candidates), normalize=normalize, chunk=chunk),
    )


def _untrained(untrained: Any, pairs: Pairs, normalize: bool, ks: Sequence[int], chunk: int) -> Retrieval | None:
    if untrained is None or isinstance(untrained, Retrieval):
        return untrained
    anchors, candidates = embed_pairs(untrained, pairs, normalize=normalize, chunk=chunk)
    return retrieval(anchors, candidates, ids=pairs.ids, ks=ks)


def _lexical(pairs: Pairs, ks: Sequence[int]) -> Retrieval | None:
    if not (is_text(pairs.anchors) and is_text(pairs.candidates)):
        return None
    rows = np.arange(len(pairs))
    return bm25(pairs.anchors[rows], pairs.candidates[rows], ids=pairs.ids, ks=ks)


def _samples(
    anchors: torch.Tensor, candidates: torch.Tensor, temperature: float, count: int, rng: np.random.Generator
) -> tuple[list[float], list[float]]:
    """Scores (nats) of true pairs, and of as many random pairs of different rows."""
    n = len(anchors)
    rows = rng.permutation(n)[:count]
    chance = rng.integers(n, size=count)
    others = (chance + rng.integers(1, n, size=count)) % n

    def score(i: np.ndarray, j: np.ndarray) -> list[float]:
        return ((anchors[i] * candidates[j]).sum(dim=1).double() / temperature).tolist()

    return score(rows, rows), score(chance, others)


def _examples(anchors: torch.Tensor, candidates: torch.Tensor, pairs: Pairs, rows: np.ndarray) -> list[Example]:
    """Some anchors with their true candidate and the five nearest, with inner products (cosines, of unit vectors)."""
    values, columns = (anchors[rows] @ candidates.T).topk(min(5, len(candidates)), dim=1)
    return [
        (
            shown(pairs.anchors, None, int(row)),
            shown(pairs.candidates, pairs.labels, int(row)),
            [(shown(pairs.candidates, pairs.labels, j), v) for v, j in zip(*near, strict=True)],
        )
        for row, near in zip(rows, zip(values.tolist(), columns.tolist(), strict=True), strict=True)
    ]


def shown(column: Any, labels: Sequence[str] | None, row: int) -> str:
    """How to show an item to a person: its label, the head of its text, or its row number."""
    if labels is not None:
        return labels[row]
    if not is_text(column):
        return f"row {row}"
    text = column[np.array([row])][0]
    return text if len(text) <= 400 else text[:399] + "…"
