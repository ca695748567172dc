"""Every documented function of many files as one Arrow table, a row per file: parsed in parallel, kept in a cache.

A later harvest re-parses only the files whose size or time changed. The largest files are parsed first, so that all
processes end at about the same time.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa

from infomax.data.arrow_file import TemporaryFolder, cache_folder, map_arrow, write_arrow
from infomax.data.python_source import SourceFile, read_source
from infomax.data.source_tree import SourceRef
from infomax.errors import InfomaxError

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


def harvest(
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

    # Idle workers go soon: a process waits for them when it ends, for five minutes by default.
    pool = Parallel(
        n_jobs=jobs, return_as="generator_unordered", initializer=_leave_interrupts_to_parent, idle_worker_timeout=5
    )
    yield from pool(delayed(_read_task)(task) for task in tasks)


def _leave_interrupts_to_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes of a terminal; one should answer


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
    collecting = gc.isenabled()
    gc.disable()  # a syntax tree has no cycles, but its many objects set off the collector: a quarter of the time
    try:
        return task, [read_source(file.path) for file in task]
    finally:
        if collecting:
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
