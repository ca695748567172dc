"""Arrow IPC files: written batch by batch, put in place whole or not at all, and memory-mapped, so never loaded."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa

from infomax.errors import InfomaxError


def cache_folder() -> Path:
    """Where harvests are kept: $INFOMAX_CACHE, else $XDG_CACHE_HOME/infomax, else ~/.cache/infomax."""
    if own := os.environ.get("INFOMAX_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "infomax"


class TemporaryFolder:
    """A folder that is deleted when nothing refers to this object any more, or at exit."""

    def __init__(self) -> None:
        with blaming_disk(tempfile.gettempdir()):
            self.path = Path(tempfile.mkdtemp(prefix="infomax-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@contextmanager
def blaming_disk(folder: str | Path) -> Iterator[None]:
    """Turn an OSError of writing into one that says what to do."""
    try:
        yield
    except OSError as error:
        raise InfomaxError(
            f"Could not write the pairs to {folder} ({error.strerror or error}): free some space there, or name "
            "another folder with cache=, INFOMAX_CACHE or TMPDIR."
        ) from error


def write_arrow(path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
    """Write batches to `path`, which either appears complete or (Ctrl-C, full disk, bad input) is left as it was.

    Raises:
        InfomaxError: the folder cannot be written to, or the disk is full.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with blaming_disk(path.parent):  # readers turn OSErrors of their own into InputErrors
            path.parent.mkdir(parents=True, exist_ok=True)
            with pa.OSFile(str(part), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
            os.replace(part, path)
    finally:
        with suppress(OSError):
            part.unlink()


def map_arrow(path: Path) -> pa.Table:
    """The table in an Arrow IPC file, mapped. Raises OSError or pa.ArrowInvalid if it is missing or not such a file."""
    return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
