"""BM25, the baseline without learning: how far do shared words alone get?

The baseline is meant to be strong: words are lower-cased and identifiers are split at underscores and capitals
(`readCsvFile`, `read_csv_file` and "read CSV file" meet), which is most of what code search needs; English stop words
are left out, which on docstrings and functions lifted recall@10 from 0.52 to 0.60. Scores come from
the `bm25s` library (Lucene's variant); ranks as in `retrieval`: ties count against, equal ids are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import bm25s
import numpy as np
from bm25s.stopwords import STOPWORDS_EN

from infomax.errors import InputError
from infomax.evaluation.ranking import from_ranks
from infomax.evaluation.result import Retrieval

_PIECE = re.compile(r"[^\W\d_]+|\d+")
_STOP = frozenset(STOPWORDS_EN)
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words(text: str) -> list[str]:
    """Lower-case words, numbers and pieces of identifiers: `parseHTTPDate_2` -> parse, http, date, 2."""
    return [word for word in _PIECE.findall(_HUMP.sub(" ", text).lower()) if word not in _STOP]


def bm25(
    anchor_texts: Sequence[str],
    candidate_texts: Sequence[str],
    *,
    ids: Sequence[int] | np.ndarray | None = None,
    ks: Sequence[int] = (1, 5, 10),
    k1: float = 1.5,
    b: float = 0.75,
) -> Retrieval:
    """Recall@k and mean reciprocal rank of BM25, row i's true candidate being candidate i.

    Args:
        anchor_texts, candidate_texts: n queries and n documents.
        ids: (n,) integers; a candidate with the row's own id is no competitor.
        ks: how deep recall looks.
        k1, b: BM25's saturation and length normalisation.

    Raises:
        InputError: the two sides differ in length or are empty.
    """
    n = len(candidate_texts)
    if n == 0 or len(anchor_texts) != n:
        raise InputError(f"bm25 needs as many anchors as candidates, at least one; got {len(anchor_texts)} and {n}.")
    own = np.arange(n) if ids is None else np.asarray(ids)
    ranks = np.empty(n, dtype=np.int64)
    for row, scores in enumerate(_scores(anchor_texts, candidate_texts, k1, b)):
        ranks[row] = np.count_nonzero((scores >= scores[row]) & (own != own[row]))
    return from_ranks(ranks, n, ks)


def _scores(queries: Sequence[str], documents: Sequence[str], k1: float, b: float) -> Iterator[np.ndarray]:
    """For each query the (n,) scores of all documents."""
    bags = [words(text) for text in documents]
    vocabulary = {word: i for i, word in enumerate(sorted(set().union(*bags)))}
    if not vocabulary:  # no document holds a word: all scores tie
        yield from (np.zeros(len(documents)) for _ in queries)
        return
    index = bm25s.BM25(k1=k1, b=b, dtype="float64")
    index.index(([[vocabulary[w] for w in bag] for bag in bags], vocabulary), show_progress=False)
    for query in queries:
        yield index.get_scores_from_ids([vocabulary[w] for w in words(query) if w in vocabulary])
