"""The texts of the sentence benchmark: pairs to train on, pairs and scores to measure on, tokens, and encoders to start from."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from math import log
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import torch
from tokenizers import Tokenizer, models

from benchmarks.sentence_pairs import CACHE, Pair, glove, pairs
from infomax.data import Pairs, TextColumn, read_pairs
from infomax.data.near_duplicates import near_duplicate_codes
from infomax.encoders import StaticTextEncoder, TokenColumn
from infomax.encoders.tokenizer_training import train_tokenizer
from infomax.evaluation.vectors import Part, Prepared

DIM, SMOOTH = 256, 1e-4
HELD_OUT = ("definition, example", "package short, long", "verse, verse")  # kinds that retrieval is measured on
SHARE, ASKED, POOL = (
    20,
    1000,
    120_000,
)  # one group in 20 is held out; so many pairs of a kind are asked for, so many learned from


def read_sts(path: Path) -> list[tuple[str, str, float]]:
    """(text, text, gold score) of a tab-separated file."""
    with path.open(newline="") as file:
        lines = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [(line["s1"], line["s2"], float(line["score"])) for line in lines]


class Texts:
    """Training pairs (a fixed draw of `POOL`), held-out pairs, scored pairs, and what is made of them once."""

    def __init__(self, scored: list[list[tuple[str, str, float]]]) -> None:
        self.scored = scored
        train, self.asked = split(pairs(), [text for part in scored for one, other, _ in part for text in (one, other)])
        self.kinds = np.array([kind for kind, *_ in train])
        self.pairs = read_pairs([(anchor, candidate) for *_, anchor, candidate in train])

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """20,000 word pieces of the candidates, and the 60,000 most frequent words of GloVe."""
        path = CACHE / "tokenizer.json"
        if not path.exists():
            words = train_tokenizer(self.pairs.candidates[np.arange(len(self.pairs))], vocabulary_size=20_000)
            vocabulary = words.get_vocab()
            for word in glove()[0][:60_000]:
                if re.fullmatch("[a-z0-9]+", word):
                    vocabulary.setdefault(word, len(vocabulary))
            words.model = models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=64)
            words.save(str(path))
        return Tokenizer.from_file(str(path))

    @cached_property
    def tokens(self) -> tuple[TokenColumn, TokenColumn]:
        """Anchors and candidates."""
        encoder = StaticTextEncoder(self.tokenizer, 1)
        return encoder.prepare(self.pairs.anchors), encoder.prepare(self.pairs.candidates)

    @cached_property
    def weights(self) -> torch.Tensor:
        """Smooth inverse frequencies a / (a + p), p by Zipf's law of a word's rank in GloVe; 1 for word pieces."""
        rank = {word: place for place, word in enumerate(glove()[0])}
        found = torch.ones(max(self.tokenizer.get_vocab().values()) + 1)
        for word, number in self.tokenizer.get_vocab().items():
            if word in rank:
                found[number] = SMOOTH / (SMOOTH + 1 / ((rank[word] + 1) * log(len(rank))))
        found[self.tokenizer.token_to_id("[UNK]")] = 0
        return found

    @cached_property
    def glove(self) -> torch.Tensor:
        """(v, 50): GloVe's vectors, mean length 1, less the direction that most candidates share; 0 where it has none."""
        words, vectors = glove()
        rank = {word: place for place, word in enumerate(words)}
        encoder = StaticTextEncoder(self.tokenizer, 50, normalize=False)
        with torch.no_grad():
            encoder.weights.copy_(self.weights)
            encoder.table.zero_()
            for word, number in self.tokenizer.get_vocab().items():
                if word in rank:
                    encoder.table[number] = torch.from_numpy(np.array(vectors[rank[word]]))
            sample = torch.from_numpy(encoder.encode(self.pairs.candidates[np.arange(0, len(self.pairs), 40)]))
            common = torch.linalg.svd(sample, full_matrices=False)[2][:1]
            table = encoder.table - encoder.table @ common.t() @ common
            return table / table[table.any(1)].norm(dim=1).mean()

    @cached_property
    def guide(self) -> tuple[torch.Tensor, torch.Tensor]:
        """GloVe's mean vectors of all anchors and candidates: the judge of `gist`."""
        encoder = self.encoder("GloVe", 0, dim=50)
        return tuple(torch.from_numpy(encoder.encode(column)) for column in self.tokens)  # type: ignore[return-value]

    def encoder(self, start: str, seed: int, dim: int = DIM) -> StaticTextEncoder:
        """Untrained: "random" vectors, "GloVe" in the first 50 dimensions and little in the others, or "both" alike."""
        encoder = StaticTextEncoder(self.tokenizer, dim, seed=seed)
        with torch.no_grad():
            encoder.weights.copy_(self.weights)
            if start != "random":
                encoder.table *= 0.1 if start == "GloVe" else 0.7
                has = self.glove.any(1)
                encoder.table[has, :50] = self.glove[has]
        return encoder

    def prepared_for(self, encoder: StaticTextEncoder, kinds: Sequence[str], ids: bool) -> Pairs:
        """Pairs of these kinds, tokenised; every pair is an item of its own unless `ids`."""
        rows = np.flatnonzero(np.isin(self.kinds, kinds))
        columns = zip((self.pairs.anchors, self.pairs.candidates), self.tokens, strict=True)
        a, c = (Prepared(Part(column, rows), encoder, Part(tokens, rows)) for column, tokens in columns)
        ids_of = self.pairs.ids[rows] if ids else rows
        return replace(self.pairs, anchors=a, candidates=c, ids=ids_of, groups=np.arange(len(rows)))


def split(found: list[Pair], foreign: list[str]) -> tuple[list[Pair], dict[str, Pairs]]:
    """Pairs to train on, and held-out pairs by kind; none of the former has a near duplicate among the latter or `foreign`."""
    held = [crc32(group.encode()) % SHARE == 0 for _, group, *_ in found]
    asked = {
        kind: [p[2:] for p, out in zip(found, held, strict=True) if out and p[0] == kind][:ASKED] for kind in HELD_OUT
    }
    left = [pair for pair, out in zip(found, held, strict=True) if not out]
    left = [left[row] for row in np.random.default_rng(0).permutation(len(left))[:POOL]]
    kept = CACHE / f"kept-{POOL}-{crc32(repr(foreign).encode()):08x}.npy"
    if not kept.exists():
        taken = [*foreign, *(text for kind in asked.values() for pair in kind for text in pair)]
        texts = [*taken, *(text for pair in left for text in pair[2:])]
        codes = near_duplicate_codes(TextColumn(pa.chunked_array([texts], pa.string())))
        near = np.isin(codes[len(taken) :], codes[: len(taken)]).reshape(-1, 2).any(1)
        np.save(kept, ~near)
    good = np.load(kept)
    return [pair for pair, fine in zip(left, good, strict=True) if fine], {k: read_pairs(v) for k, v in asked.items()}
