"""Clusters of near-duplicate texts in a column, by locality-sensitive hashing of their sketches.

The bins of a sketch are cut into bands; texts that agree in a whole band are compared, and joined if their estimated
Jaccard index reaches the threshold. With 20 bands of 6 bins a pair of index 0.8 meets in some band with probability
1 - (1 - 0.8^6)^20 = 0.998. The estimate of 120 bins has a standard deviation of 0.037 there, so some pairs of an index just
above 0.8 stay apart (of 1,500 of 0.82, 70 did; of 0.87, none), and some just below are joined. Exact copies are folded
first: a sentence that stands a thousand times costs what one does.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from infomax.data.pairs import Column
from infomax.data.shingles import BINS, EMPTY, sketch

JACCARD = 0.8  # as for code by Allamanis (2019)
BAND = 6
_NEIGHBOURS = 8  # of a text that are compared with it in each band
_BATCH = 1024
_CHUNK = 16_384


def near_duplicate_codes(column: Column, threshold: float = JACCARD) -> np.ndarray:
    """(n,) int64: rows of a text column whose texts are near duplicates of each other, transitively, share a code.

    Near duplicates have the same words in the same order, whatever their case and punctuation, or an estimated Jaccard
    index of at least `threshold`. Texts without a word resemble none. Holds about 500 bytes a row, one batch of texts.
    """
    n = len(column)
    exact, words = np.empty(n, dtype=np.uint64), np.empty(n, dtype=np.int64)
    bins = np.empty((n, BINS), dtype=np.uint32)
    for start in range(0, n, _BATCH):
        rows = np.arange(start, min(start + _BATCH, n))
        batch = sketch(column[rows])
        exact[rows], words[rows], bins[rows] = batch.exact, batch.words, batch.bins
    wordless = np.flatnonzero(words == 0)
    _, first, code = np.unique(exact, return_index=True, return_inverse=True)
    pairs = _similar(bins[first], threshold)
    graph = coo_array((np.ones(len(pairs), dtype=np.int8), (pairs[:, 0], pairs[:, 1])), shape=(len(first), len(first)))
    count, label = connected_components(graph, directed=False)
    codes = label[code].astype(np.int64)
    codes[wordless] = count + np.arange(len(wordless))
    return codes


def _similar(bins: np.ndarray, threshold: float) -> np.ndarray:
    """(m, 2) pairs of rows whose estimated Jaccard index reaches the threshold."""
    n = len(bins)
    filled = np.flatnonzero((bins != EMPTY).any(axis=1))
    dense = np.concatenate([_densified(bins[rows]) for rows in _chunks(filled)] or [bins[:0]])
    met = []
    for band in range(0, BINS, BAND):
        part = np.ascontiguousarray(dense[:, band : band + BAND])
        key = _key(part)
        order = np.argsort(key, kind="stable")
        for lag in range(1, min(_NEIGHBOURS, len(order) - 1) + 1):
            same = key[order[lag:]] == key[order[:-lag]]
            a, b = filled[order[:-lag][same]], filled[order[lag:][same]]
            met.append(np.minimum(a, b) * n + np.maximum(a, b))
    pairs = np.unique(np.concatenate(met or [np.empty(0, dtype=np.int64)]))
    a, b = np.divmod(pairs, max(n, 1))
    alike = np.concatenate([_jaccard(bins[a[i]], bins[b[i]]) for i in _chunks(np.arange(len(a)))] or [np.empty(0)])
    return np.stack([a, b], axis=1)[alike >= threshold]


def _chunks(rows: np.ndarray) -> list[np.ndarray]:
    return [rows[start : start + _CHUNK] for start in range(0, len(rows), _CHUNK)]


def _densified(bins: np.ndarray) -> np.ndarray:
    """Empty bins borrow from the nearest filled bin to their left, circularly, shifted by the distance.

    Without it, short texts would meet in bands where both are empty (Shrivastava & Li 2014).
    """
    twice = np.concatenate([bins, bins], axis=1)
    place = np.arange(2 * BINS, dtype=np.int32)
    source = np.maximum.accumulate(np.where(twice != EMPTY, place, 0), axis=1)[:, BINS:]
    distance = (place[BINS:] - source).astype(np.uint32)
    return np.take_along_axis(twice, source, axis=1) + distance * np.uint32(0x9E3779B1)


def _key(part: np.ndarray) -> np.ndarray:
    """(n,) uint64: a hash of each row of a band; a collision only costs a comparison."""
    key = np.zeros(len(part), dtype=np.uint64)
    for column in part.T:
        key = (key ^ column) * np.uint64(0xD6E8FEB86659FD93)
        key ^= key >> np.uint64(32)
    return key


def _jaccard(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(m,) estimates: the share of equal bins among those filled in either sketch."""
    either = np.minimum(a, b) != EMPTY
    return ((a == b) & either).sum(axis=1) / np.maximum(either.sum(axis=1), 1)
