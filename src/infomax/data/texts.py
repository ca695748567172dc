"""What a user names as a corpus, as texts that can be walked again and again, in parts that stay together in a split.

A part is a file, or where there are few files a stretch of consecutive texts: neighbours speak of the same things, so
drawing single texts to a held-out side would flatter the model.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from infomax.data.python_prose import python_prose
from infomax.data.text_files import check_encoding
from infomax.data.text_stream import TABLES, is_binary, kind_of, text_blocks
from infomax.errors import InputError

_MANY = 20  # files, from which each is a part
_STRETCHES = 100  # parts of a source of few files
Blocks = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts in parts.

    Attributes:
        name: of the source, for people.
        stamp: changes when the source does.
        sizes: (parts,) int64: how large each part is, in one unit.
        blocks: walks (part, texts) in order; counts what is left out.
        skipped: what the last walk left out, by reason.
    """

    name: str
    stamp: str
    sizes: np.ndarray
    walk: Callable[[Counter[str]], Blocks]
    skipped: Counter[str] = field(default_factory=Counter)

    def blocks(self) -> Blocks:
        """(part, texts) in order; `skipped` is counted anew."""
        self.skipped.clear()
        yield from self.walk(self.skipped)


def open_texts(
    source: str | os.PathLike[str],
    *,
    column: str | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
) -> Texts:
    """The texts of a file (see `text_stream`), of the files of a folder, or of "python", the standard library's prose.

    Raises:
        InputError: there is no such source or it holds no text.
    """
    if source == "python":  # a folder of that name is "./python"
        return _python()
    path = Path(source).expanduser()
    if not path.exists():
        raise InputError(f"No file or folder {path}: check the path (from {Path.cwd()}).")
    skipped = Counter[str]()
    files = _files(path, skipped) if path.is_dir() else [path]
    reading = {"column": column, "encoding": check_encoding(encoding or "utf-8"), "delimiter": delimiter}
    stamp = "\n".join(f"{file.resolve()} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files)

    def walk(counted: Counter[str]) -> Blocks:
        counted.update(skipped)
        for number, file in enumerate(files):
            for block in text_blocks(file, **reading, skipped=counted):  # type: ignore[arg-type]
                yield number, block

    if len(files) >= _MANY:
        sizes = np.array([file.stat().st_size for file in files], dtype=np.int64)
        return Texts(str(path), f"{stamp} {reading}", sizes, walk)
    return _in_stretches(str(path), f"{stamp} {reading}", walk)


def _python() -> Texts:
    prose = python_prose()
    sizes = np.bincount(prose.files)

    def walk(_: Counter[str]) -> Blocks:
        starts = np.flatnonzero(np.diff(prose.files, prepend=-1))
        for start, end in zip(starts.tolist(), [*starts[1:].tolist(), len(prose.files)], strict=True):
            yield int(prose.files[start]), prose.texts[start:end]

    return Texts("python", prose.stamp, sizes, walk)


def _files(folder: Path, skipped: Counter[str]) -> list[Path]:
    """The files of text below a folder in order of path: no tables, nothing binary, nothing hidden."""
    found = []
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [path for name in sorted(names) if not name.startswith(".") and (path := Path(base, name)).is_file()]
    kept = [path for path in found if kind_of(path) not in TABLES and path.stat().st_size and not is_binary(path)]
    if len(kept) < len(found):
        skipped["files that are empty, binary or tables"] = len(found) - len(kept)
    if not kept:
        raise InputError(f"{folder} holds no text: give a folder of text files, or the name of a table.")
    return kept


def _in_stretches(name: str, stamp: str, walk: Callable[[Counter[str]], Blocks]) -> Texts:
    """The same texts, in up to `_STRETCHES` parts of consecutive ones; a first walk counts them."""
    total = sum(len(texts) for _, texts in walk(Counter()))
    length = max(1, -(-total // _STRETCHES))

    def walk_stretches(counted: Counter[str]) -> Blocks:
        done = 0
        for _, texts in walk(counted):
            while texts:
                part, within = divmod(done, length)
                piece, texts = texts[: length - within], texts[length - within :]
                done += len(piece)
                yield part, piece

    full, rest = divmod(total, length)
    sizes = np.array([*[length] * full, *[rest] * bool(rest)], dtype=np.int64)
    return Texts(name, stamp, sizes, walk_stretches)
