"""Files that are either the old one or the new one, never half of one.

A new file is written beside its target, flushed to the disk, and moved over it in one step: a killed run, a full disk
or a pulled plug leaves the former file as it was.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from infomax.errors import InfomaxError


def replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Let `write(temporary)` make the new content, then move it over `path` atomically.

    Raises:
        InfomaxError: the disk is full, or the folder cannot be written; `path` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch()
        mode = temporary.stat().st_mode
        write(temporary)
        temporary.chmod(mode)  # safetensors makes files that only their owner can read
        _flush(temporary)
        os.replace(temporary, path)
        _flush(path.parent)
    except (OSError, SafetensorError) as error:  # safetensors wraps what the system says
        raise cannot_write(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def cannot_write(path: Path, error: Exception) -> InfomaxError:
    """The error of a failed write in words, with its remedy."""
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error)
    if full or ("requested and" in str(error) and "written" in str(error)):  # numpy's words for a short write
        return InfomaxError(
            f"The disk is full: {path} could not be written and is as it was before; free some space, then resume."
        )
    return InfomaxError(
        f"{path} could not be written ({getattr(error, 'strerror', None) or error}); choose a folder that can be."
    )


def _flush(path: Path) -> None:
    """Ask the system to put a file, or a folder's list of names, on the disk now."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
