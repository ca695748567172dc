"""Docstring <-> function pairs from Python source: real text pairs on every machine, with nothing to download.

The pairs and their order do not depend on the number of processes nor on what the cache held.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infomax.data.columns import TextColumn
from infomax.data.harvest import Progress, harvest
from infomax.data.ids import codes_of, connected, digests
from infomax.data.pairs import Pairs, ReadReport
from infomax.data.source_tree import SourceRef, environment_roots, source_files
from infomax.errors import InputError


def python_pairs(
    roots: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None = None,
    *,
    cache: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    max_pairs: int | None = None,
    progress: Progress | None = None,
) -> Pairs:
    """Pairs of (docstring prose, source without docstring), one per documented function or method.

    Left out: folders named in `source_tree.EXCLUDED_FOLDERS` (tests, vendored copies, idlelib ...), hidden folders,
    virtual environments and test files; functions inside functions; docstrings of fewer than 3 words; functions
    whose body is only `pass`, `...` or `raise NotImplementedError`; exact twins of an earlier pair. All but the
    folders are counted in `report.skipped`; counts named "files ..." are files, the others are functions.

    Args:
        roots: a source folder or file, or several. None means the standard library and the packages installed in
            the running interpreter's environment.
        cache: folder of the harvest's cache; None means $INFOMAX_CACHE, $XDG_CACHE_HOME/infomax or ~/.cache/infomax.
        jobs: processes; None means one per available core.
        max_pairs: keep at most this many, by whole files, in an order that is arbitrary but the same everywhere; with
            `roots=None` the standard library is always kept whole and comes first.
        progress: called with (files done, files to parse) now and then.

    Returns:
        Pairs grouped by source file, with labels "package.module.Class.function  (file:line)".

    Raises:
        InputError: a root does not exist or holds no documented function.
        InfomaxError: the cache cannot be written.
    """
    folders = _as_folders(roots)
    files = source_files(folders)
    table, owner = harvest(files, folders, Path(cache) if cache is not None else None, jobs or _cores(), progress)
    always = 0 if roots is None else -1  # the root that max_pairs leaves whole
    pairs = _pairs_of(table, owner, files, always, max_pairs, ", ".join(map(str, folders)))
    if not len(pairs):
        where = "this environment" if roots is None else pairs.report.source
        raise InputError(f"No documented Python function in {where} ({len(files)} files): give a source folder.")
    return pairs


def _as_folders(roots: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | None) -> list[Path]:
    if roots is None:
        return environment_roots()
    listed = [roots] if isinstance(roots, str | os.PathLike) else list(roots)
    return [Path(root).expanduser().resolve() for root in listed]


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _pairs_of(
    table: pa.Table, owner: object, files: list[SourceRef], always: int, max_pairs: int | None, source: str
) -> Pairs:
    at = {path: row for row, path in enumerate(table.column("path").to_pylist())}
    file_rows = np.array([at[file.path] for file in files], dtype=np.int64)
    flat = {name: _flatten(table.column(name)) for name in ("names", "lines", "anchors", "candidates")}
    counts = pc.list_value_length(table.column("names")).to_numpy().astype(np.int64)
    starts = np.cumsum(counts) - counts
    rows = _ranges(starts[file_rows], counts[file_rows])
    groups = np.repeat(np.arange(len(files)), counts[file_rows])

    skipped: Counter[str] = Counter()
    for reasons in table.column("skipped").take(file_rows).to_pylist():
        skipped.update(dict(reasons))
    read = len(rows) + sum(count for reason, count in skipped.items() if not reason.startswith("files"))
    anchor_digest = digests(TextColumn(flat["anchors"], rows))
    candidate_digest = digests(TextColumn(flat["candidates"], rows))
    keep = _first_of_each(codes_of(anchor_digest), codes_of(candidate_digest))
    skipped["exact twins of another pair"] = int(len(rows) - keep.sum())
    if max_pairs is not None:
        chosen = keep & _within(files, always, groups[keep], max_pairs)[groups]
        skipped["functions beyond max_pairs"] = int(keep.sum() - chosen.sum())
        keep = chosen
    rows, groups = rows[keep], groups[keep]
    names, lines = TextColumn(flat["names"], rows), flat["lines"].to_numpy()[rows].tolist()
    return Pairs(
        anchors=TextColumn(flat["anchors"], rows, owner),
        candidates=TextColumn(flat["candidates"], rows, owner),
        ids=connected(codes_of(anchor_digest[keep]), codes_of(candidate_digest[keep])),
        groups=groups,
        labels=[
            f"{files[group].module}.{name}  ({files[group].shown}:{line})"
            for group, name, line in zip(groups.tolist(), names, lines, strict=True)
        ],
        report=ReadReport(source, read, len(rows), {reason: count for reason, count in skipped.items() if count}),
    )


def _flatten(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pa.chunked_array([chunk.flatten() for chunk in column.chunks], type=column.type.value_type)


def _ranges(starts: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """start, start + 1, ..., start + count - 1 for each range, one after the other."""
    before = np.cumsum(counts) - counts
    return np.repeat(starts - before, counts) + np.arange(counts.sum())


def _first_of_each(*codes: np.ndarray) -> np.ndarray:
    """(n,) bool: the first row of each combination of codes."""
    _, first = np.unique(np.stack(codes, axis=1), axis=0, return_index=True)
    keep = np.zeros(len(codes[0]), dtype=bool)
    keep[first] = True
    return keep


def _within(files: list[SourceRef], always: int, groups: np.ndarray, max_pairs: int) -> np.ndarray:
    """(files,) bool: files of the root `always`, and of the others, in order of a digest of their name, what fits."""
    counts = np.bincount(groups, minlength=len(files)).tolist()
    taken = np.array([file.root == always for file in files], dtype=bool)
    room = max_pairs - sum(count for count, kept in zip(counts, taken, strict=True) if kept)
    for i in sorted(np.flatnonzero(~taken).tolist(), key=lambda i: blake2b(files[i].shown.encode()).digest()):
        if counts[i] <= room:
            taken[i] = True
            room -= counts[i]
    return taken
