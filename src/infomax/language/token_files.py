"""The numbers of a corpus on the disk: one file of int32 a split, the counts, the vocabulary, and what describes them.

Each corpus has a folder of its own that appears whole and is never written to again, so that whoever has its files mapped
keeps them.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from infomax.errors import InfomaxError
from infomax.language.corpus_split import SPLITS, Side
from infomax.language.vocabulary import Vocabulary

_RECORD, _VOCABULARY, _COUNTS = "corpus.json", "tokenizer.json", "counts.npy"


def write_tokens(
    folder: Path, vocabulary: Vocabulary, sides: Sequence[Side], about: Mapping[str, Any]
) -> dict[str, Any]:
    """Encode the sides into `folder` and give the record of what it holds: `about`, sizes and a fingerprint.

    Raises:
        InfomaxError: the folder cannot be written to, or the disk is full.
    """
    part = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        part.mkdir(parents=True, exist_ok=True)
        record = _write_files(part, vocabulary, sides, about)
        if kept_record(folder, about["key"]) is None:  # or another process was faster
            shutil.rmtree(folder, ignore_errors=True)  # damaged
            part.replace(folder)
    except OSError as error:
        raise InfomaxError(
            f"Could not write the tokens to {folder.parent} ({error.strerror or error}): free some space there, or name "
            "another folder."
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return record


def _write_files(
    folder: Path, vocabulary: Vocabulary, sides: Sequence[Side], about: Mapping[str, Any]
) -> dict[str, Any]:
    hashed = blake2b(vocabulary.tokenizer.to_str().encode(), digest_size=8)
    counts = np.zeros(vocabulary.size, dtype=np.int64)
    record: dict[str, Any] = {**about, "splits": {}}
    vocabulary.save(folder / _VOCABULARY)
    for name, side in zip(SPLITS, sides, strict=True):
        record["splits"][name], found = _write_side(folder / f"{name}.bin", vocabulary, side, hashed)
        counts += found if name == "train" else 0
    np.save(folder / _COUNTS, counts)
    walked = dict.fromkeys(side.texts for side in sides if side.texts)  # two sides of one source count once
    record["skipped"] = dict(sum((texts.skipped for texts in walked), Counter()))
    record["fingerprint"] = hashed.hexdigest()
    (folder / _RECORD).write_text(json.dumps(record), "utf-8")
    return record


def _write_side(path: Path, vocabulary: Vocabulary, side: Side, hashed: Any) -> tuple[dict[str, int], np.ndarray]:
    counts = np.zeros(vocabulary.size, dtype=np.int64)
    texts = characters = 0
    with path.open("wb") as file:
        for block in side.blocks():
            ids = _ended(*vocabulary.encode_batch(block), vocabulary.end)
            file.write(ids.data)  # not ids.tofile: it does not notice a disk that is full at the end
            hashed.update(ids)
            counts += np.bincount(ids, minlength=vocabulary.size)
            texts += len(block)
            characters += sum(map(len, block)) + len(block)
    hashed.update(path.name.encode())  # where a split ends matters
    unknown = 0 if vocabulary.unknown is None else int(counts[vocabulary.unknown])
    return {"tokens": int(counts.sum()), "texts": texts, "characters": characters, "unknown": unknown}, counts


def _ended(ids: np.ndarray, lengths: np.ndarray, end: int) -> np.ndarray:
    """The numbers of all texts, `end` after each."""
    return np.insert(ids, np.cumsum(lengths), end).astype(np.int32)


def kept_record(folder: Path, key: str) -> dict[str, Any] | None:
    """The record of a whole folder that an earlier call with this key has written."""
    try:
        record = json.loads((folder / _RECORD).read_text("utf-8"))
        sizes = {name: (folder / f"{name}.bin").stat().st_size for name in SPLITS}
        whole = all(4 * record["splits"][name]["tokens"] == size for name, size in sizes.items())
        map_tokens(folder)
        return record if record["key"] == key and whole else None
    except (OSError, ValueError, KeyError, TypeError):  # InputError is a ValueError
        return None


def map_tokens(folder: Path) -> tuple[Vocabulary, dict[str, np.ndarray], np.ndarray]:
    """Vocabulary, the numbers of each split (memory-mapped), and the counts of a folder."""
    tokens = {name: _mapped(folder / f"{name}.bin") for name in SPLITS}
    return Vocabulary.load(folder / _VOCABULARY), tokens, np.load(folder / _COUNTS)


def _mapped(path: Path) -> np.ndarray:
    return np.memmap(path, dtype=np.int32, mode="r") if path.stat().st_size else np.empty(0, dtype=np.int32)
