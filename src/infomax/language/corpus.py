"""A corpus as numbers: three memory-mapped streams of tokens, in which <eos> ends every text.

The source is read twice, in blocks: once for the vocabulary, of the training part alone, and once for the numbers,
which go straight to the disk. What memory holds is the distinct words, so a corpus may be larger than it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from infomax.data.arrow_file import TemporaryFolder
from infomax.errors import InputError
from infomax.language.corpus_split import SPLITS, Side, split_source
from infomax.language.token_files import kept_record, map_tokens, write_tokens
from infomax.language.vocabulary import Vocabulary
from infomax.training.settings import Whole, whole

_SIZES = {"words": 10_000, "subwords": 8_000}
_VERSION = 1  # of what a folder holds: raise it whenever the same source would give other numbers


@dataclass(frozen=True)
class TokenCorpus:
    """Tokens of a corpus, each text ended by `vocabulary.end`.

    Attributes:
        train, validation, test: (T,) int32 numbers of tokens, memory-mapped; empty where a side was not asked for.
        counts: (V,) int64 how often each token stands in `train`; 0 is possible, for <unk> at least.
        source: what was read.
        texts, characters: of each split; a line's characters include its end.
        unknown: share of each split's tokens that are <unk>.
        skipped: what was left out or cut, by reason.
        fingerprint: of the numbers and the vocabulary; equal for equal corpora.
    """

    vocabulary: Vocabulary
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    counts: np.ndarray
    source: str
    texts: Mapping[str, int]
    characters: Mapping[str, int]
    unknown: Mapping[str, float]
    skipped: Mapping[str, int]
    fingerprint: str
    _owner: object = field(default=None, repr=False)


def read_corpus(
    source: str | os.PathLike[str] = "python",
    *,
    validation: Any = None,
    test: Any = None,
    vocabulary: Any = "words",
    size: Whole | None = None,
    min_count: Whole = 1,
    lowercase: bool = False,
    pretokenised: bool = False,
    column: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    folder: str | os.PathLike[str] | None = None,
    seed: int = 0,
) -> TokenCorpus:
    """Tokens of a text file, a folder of them, a table, or "python": docstrings and comments of the standard library.

    Args:
        source: any text file, a line a text (.gz, .bz2, .zst ... too); CSV, JSON lines or Parquet, a row a text; a
            folder of text files.
        validation, test: a file or folder, or a share of the source; by default a tenth of it, or nothing where the
            other is a file. Shares are drawn by file, where there are 20 or more, else by stretches of text.
        vocabulary: "words", "subwords", or a Vocabulary.
        size: tokens of the vocabulary; by default 10,000 words or 8,000 subwords at most.
        min_count, lowercase, pretokenised: see `Vocabulary.words`.
        column: of a table; by default "text" or its only one.
        encoding, delimiter: of a file that is not UTF-8, of a table.
        folder: where the numbers go, a folder for each corpus, and are found again by the next call that asks for the same.
        seed: of the draw.

    Raises:
        InputError: the source or the settings cannot be right, or a split would be empty.
        InfomaxError: there is no room for the numbers.
    """
    for name, value in (("size", size), ("min_count", min_count)):
        if value is not None:
            whole(name, value, 1)
    reading = {"column": column, "encoding": encoding, "delimiter": delimiter}
    sides = split_source(source, validation, test, reading, seed)
    learning = {"vocabulary": vocabulary, "size": size, "min_count": min_count}
    learning |= {"lowercase": lowercase, "pretokenised": pretokenised}
    key = _digest(_VERSION, [side.key for side in sides], {**learning, "vocabulary": _name(vocabulary)})
    owner = TemporaryFolder() if folder is None else Path(folder)
    place = (owner.path if isinstance(owner, TemporaryFolder) else owner) / key
    record = kept_record(place, key)
    if record is None:
        words = vocabulary if isinstance(vocabulary, Vocabulary) else _learn(sides[0], **learning)
        record = write_tokens(place, words, sides, {"key": key, "source": str(source)})
    return _opened(place, record, owner)


def _learn(
    train: Side, *, vocabulary: Any, size: int | None, min_count: int, lowercase: bool, pretokenised: bool
) -> Vocabulary:
    if not isinstance(vocabulary, str) or vocabulary not in _SIZES:
        raise InputError(f"vocabulary={vocabulary!r} is unknown: give 'words', 'subwords' or a Vocabulary.")
    size = _SIZES[vocabulary] if size is None else size
    texts = (text for block in train.blocks() for text in block)
    if vocabulary == "words":
        return Vocabulary.words(texts, size, min_count, lowercase=lowercase, pretokenised=pretokenised)
    return Vocabulary.subwords(texts, size, lowercase=lowercase)


def _opened(folder: Path, record: Mapping[str, Any], owner: object) -> TokenCorpus:
    vocabulary, tokens, counts = map_tokens(folder)
    splits = record["splits"]
    return TokenCorpus(
        vocabulary=vocabulary,
        **tokens,
        counts=counts,
        source=record["source"],
        texts={name: splits[name]["texts"] for name in SPLITS},
        characters={name: splits[name]["characters"] for name in SPLITS},
        unknown={name: splits[name]["unknown"] / max(splits[name]["tokens"], 1) for name in SPLITS},
        skipped=record["skipped"],
        fingerprint=record["fingerprint"],
        _owner=owner,
    )


def _name(vocabulary: Any) -> str:
    return vocabulary.tokenizer.to_str() if isinstance(vocabulary, Vocabulary) else str(vocabulary)


def _digest(*parts: Any) -> str:
    return blake2b(repr(parts).encode(), digest_size=8).hexdigest()
