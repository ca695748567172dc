"""Docstring <-> function pairs from Python source: real text pairs on every machine, with nothing to download.

Files are parsed in parallel, largest first, and kept in a cache with one row per file; a later call re-parses only
files whose size or time changed. The pairs do not depend on the number of processes nor on what the cache held.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from infomax.data.arrow_file import TemporaryFolder, cache_folder, map_arrow, write_arrow
from infomax.data.columns import TextColumn
from infomax.data.ids import codes_of, connected, digests
from infomax.data.pairs import Pairs, ReadReport
from infomax.data.python_source import SourceFile, read_source
from infomax.data.source_tree import SourceRef, environment_roots, source_files
from infomax.errors import InfomaxError, InputError

Progress = Callable[[int, int], None]

_VERSION = 1  # of the harvest: raise it whenever read_source gives other rows
_TASK_BYTES = 1_000_000  # source text per parallel task: about 0.1 s
_SCHEMA = pa.schema(
    {
        "path": pa.string(),
        "size": pa.int64(),
        "modified": pa.int64(),
        "skipped": pa.map_(pa.string(), pa.int64()),
        "names": pa.list_(pa.string()),
        "lines": pa.list_(pa.int32()),
        "anchors": pa.list_(pa.string()),
        "candidates": pa.list_(pa.string()),
    }
)


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
        max_pairs: keep at most this many, by whole files: the first root (by default the standard library) always,
            then files in an order that is arbitrary but the same everywhere.
        progress: called with (files done, files to parse) now and then.

    Returns:
        Pairs grouped by source file, with labels "package.module.Class.function  (file:line)".

    Raises:
        InputError: a root does not exist or holds no documented function.
        InfomaxError: the cache cannot be written.
    """
    folders = _as_folders(roots)
    files = source_files(folders)
    table, owner = _harvest(files, folders, Path(cache) if cache is not None else None, jobs or _cores(), progress)
    pairs = _pairs_of(table, owner, files, _count_first(files, folders), max_pairs, ", ".join(map(str, folders)))
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


def _count_first(files: list[SourceRef], folders: list[Path]) -> int:
    return sum(Path(file.path).is_relative_to(folders[0]) for file in files)


def _harvest(
    files: list[SourceRef], folders: list[Path], cache: Path | None, jobs: int, progress: Progress | None
) -> tuple[pa.Table, object]:
    """The table that holds a row for each file (and perhaps others), and what keeps its file alive."""
    key = blake2b("\n".join(map(str, [_VERSION, *folders])).encode(), digest_size=8).hexdigest()
    path = (cache or cache_folder()) / f"python-{key}.arrow"
    known = _open_cache(path)
    stamps = _stamps(known)
    missing = [file for file in files if (file.path, file.size, file.modified) not in stamps]
    if not missing:
        return known, None
    wanted = {(file.path, file.size, file.modified) for file in files}
    kept = known.take(pa.array([row for stamp, row in stamps.items() if stamp in wanted], type=pa.int64()))
    owner = None
    try:
        write_arrow(path, _SCHEMA, _batches(kept, missing, jobs, progress))
    except InfomaxError:
        if cache is not None:  # the user named this folder, so say that it does not work
            raise
        owner = TemporaryFolder()
        path = owner.path / path.name
        write_arrow(path, _SCHEMA, _batches(kept, missing, jobs, progress))
    return map_arrow(path), owner


def _open_cache(path: Path) -> pa.Table:
    try:
        table = map_arrow(path)
        if table.schema.equals(_SCHEMA):
            table.validate(full=True)
            return table
    except (OSError, pa.ArrowException):
        pass  # missing, cut short or foreign: harvest anew, which overwrites it
    return _SCHEMA.empty_table()


def _stamps(table: pa.Table) -> dict[tuple[str, int, int], int]:
    columns = (table.column(name).to_pylist() for name in ("path", "size", "modified"))
    return {stamp: row for row, stamp in enumerate(zip(*columns, strict=True))}


def _batches(
    kept: pa.Table, missing: list[SourceRef], jobs: int, progress: Progress | None
) -> Iterator[pa.RecordBatch]:
    yield from kept.to_batches()
    done = 0
    for task, found in _read_all(missing, jobs):
        done += len(task)
        if progress:
            progress(done, len(missing))
        rows = [_table_row(file, source) for file, source in zip(task, found, strict=True)]
        yield pa.RecordBatch.from_pylist(rows, schema=_SCHEMA)


def _read_all(files: list[SourceRef], jobs: int) -> Iterator[tuple[list[SourceRef], list[SourceFile]]]:
    tasks = list(_tasks(files))
    if jobs == 1 or len(tasks) < 4:  # starting processes would take longer
        yield from map(_read_task, tasks)
        return
    from joblib import Parallel, delayed  # late: a cached harvest needs no processes

    yield from Parallel(n_jobs=jobs, return_as="generator_unordered")(delayed(_read_task)(task) for task in tasks)


def _tasks(files: list[SourceRef]) -> Iterator[list[SourceRef]]:
    """Files in tasks of about equal size, the largest files first, so that all processes end together."""
    task: list[SourceRef] = []
    for file in sorted(files, key=lambda file: (-file.size, file.path)):
        task.append(file)
        if sum(member.size for member in task) >= _TASK_BYTES:
            yield task
            task = []
    if task:
        yield task


def _read_task(task: list[SourceRef]) -> tuple[list[SourceRef], list[SourceFile]]:
    gc.disable()  # a syntax tree has no cycles, but its many objects set off the collector: a quarter of the time
    try:
        return task, [read_source(file.path) for file in task]
    finally:
        gc.enable()


def _table_row(file: SourceRef, source: SourceFile) -> dict[str, object]:
    names, lines, anchors, candidates = zip(*source.rows, strict=True) if source.rows else ((), (), (), ())
    return {
        "path": file.path,
        "size": file.size,
        "modified": file.modified,
        "skipped": sorted(source.skipped.items()),
        "names": names,
        "lines": lines,
        "anchors": anchors,
        "candidates": candidates,
    }


def _pairs_of(
    table: pa.Table, owner: object, files: list[SourceRef], first: int, max_pairs: int | None, source: str
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
        chosen = keep & _within(files, first, groups, keep, max_pairs)
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


def _within(files: list[SourceRef], first: int, groups: np.ndarray, keep: np.ndarray, max_pairs: int) -> np.ndarray:
    """(n,) bool: rows of the first `first` files, and of as many others, in order of a digest, as fit."""
    per_file = np.bincount(groups[keep], minlength=len(files))
    others: Iterable[int] = sorted(
        range(first, len(files)), key=lambda i: blake2b(files[i].shown.encode(), digest_size=8).digest()
    )
    order = np.array([*range(first), *others], dtype=np.int64)
    taken = np.zeros(len(files), dtype=bool)
    taken[order[np.cumsum(per_file[order]) <= max_pairs]] = True
    taken[:first] = True
    return taken[groups]
