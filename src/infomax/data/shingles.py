"""A text as a sketch of its word triples, from which the similarity of two texts can be told.

A shingle is three words in a row; two texts are near duplicates if the Jaccard index of their sets of shingles,
|A and B| / |A or B|, is high. One-permutation hashing (Li, Owen & Zhang 2012) keeps of each set the least hash in
each of k bins: the share of equal bins, among those filled in either text, estimates the Jaccard index without bias,
with a standard deviation of sqrt(J(1 - J)/k) for long texts and a smaller one for short texts.

Words are found and hashed for a whole batch at a time, on its bytes: a word is a run of letters, digits and underscores
(case folded), and every ideograph begins a word of its own. A word's hash is the polynomial sum of byte_i * P^i, read
off prefix sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WORDS = 3  # of a shingle
BINS = 120
EMPTY = np.uint32(0xFFFFFFFF)
MAX_CHARACTERS = 20_000  # of a text that are looked at: twins differ early or not at all

_P = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2^64
_MULTIPLIERS = np.array([0xD6E8FEB86659FD93, 0xA0761D6478BD642F, 0xE7037ED1A0B428DB], dtype=np.uint64)


@dataclass(frozen=True)
class Sketches:
    """Of n texts: exact (n,) uint64, equal for equal word sequences; words (n,) their number; bins (n, BINS) uint32."""

    exact: np.ndarray
    words: np.ndarray
    bins: np.ndarray


def sketch(texts: list[str]) -> Sketches:
    """The sketches of a batch of texts, up to `MAX_CHARACTERS` of each."""
    word, text = _words([text[:MAX_CHARACTERS].lower().encode() for text in texts])
    words = np.bincount(text, minlength=len(texts))
    place = np.arange(len(word)) - (np.cumsum(words) - words)[text]
    exact = np.zeros(len(texts), dtype=np.uint64)
    np.add.at(exact, text, _mixed(word + place.astype(np.uint64) * _MULTIPLIERS[0]))

    bins = np.full((len(texts), BINS), EMPTY)
    last = len(word) - WORDS + 1
    if last > 0:
        whole = text[:last] == text[WORDS - 1 :]
        shingle = sum(word[i : last + i] * multiplier for i, multiplier in enumerate(_MULTIPLIERS))
        shingle = _mixed(np.asarray(shingle)[whole])
        which = (shingle >> np.uint64(32)) * np.uint64(BINS) >> np.uint64(32)
        cells = text[:last][whole] * BINS + which.astype(np.int64)
        np.minimum.at(bins.reshape(-1), cells, (shingle & np.uint64(0xFFFFFFFE)).astype(np.uint32))
    return Sketches(exact, words, bins)


def _words(texts: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """The hash of every word of every text, in order, and the number of the text it stands in."""
    data = np.frombuffer(b"\n".join(texts) + b"\n", dtype=np.uint8)
    kind = _KINDS[data]
    inside = kind > 0
    begins = inside & ((kind == 2) | ~np.concatenate([[False], inside[:-1]]))
    ends = inside & (~np.concatenate([inside[1:], [False]]) | np.concatenate([begins[1:], [False]]))
    start, end = np.flatnonzero(begins), np.flatnonzero(ends) + 1

    prefix = np.zeros(len(data) + 1, dtype=np.uint64)
    np.cumsum(data * _powers(_P, len(data)), out=prefix[1:])
    hashes = (prefix[end] - prefix[start]) * _powers(pow(_P, -1, 1 << 64), len(data))[start]
    limits = np.cumsum([len(text) + 1 for text in texts])
    return _mixed(hashes), np.searchsorted(limits, start, side="right")


def _kinds() -> np.ndarray:
    """Per byte value: 0 between words, 1 inside a word, 2 first byte of a character that is a word of its own."""
    kinds = np.zeros(256, dtype=np.uint8)
    for byte in b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_":
        kinds[byte] = 1
    kinds[0x80:] = 1  # the bytes of all other characters
    kinds[0xE3:0xF5] = 2  # U+3000 and above: ideographs, kana, hangul, emoji
    return kinds


_KINDS = _kinds()
_POWERS: dict[int, np.ndarray] = {}


def _powers(base: int, n: int) -> np.ndarray:
    """base^0 ... base^(n-1) modulo 2^64, kept between batches."""
    known = _POWERS.get(base)
    if known is None or len(known) < n:
        known = np.full(2 * n, base, dtype=np.uint64)
        known[0] = 1
        np.cumprod(known, out=known)
        _POWERS[base] = known
    return known[:n]


def _mixed(hashes: np.ndarray) -> np.ndarray:
    """Every input bit spread over every output bit (the finaliser of MurmurHash3)."""
    hashes = hashes ^ (hashes >> np.uint64(33))
    hashes = hashes * np.uint64(0xFF51AFD7ED558CCD)
    hashes = hashes ^ (hashes >> np.uint64(33))
    hashes = hashes * np.uint64(0xC4CEB9FE1A85EC53)
    return hashes ^ (hashes >> np.uint64(33))
