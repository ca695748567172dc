"""A report on disk: whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkstemp

from infomax.errors import InputError
from infomax.report.html import fit_html
from infomax.report.plain import fit_json, json_text
from infomax.training.result import FitResult

_RENDER = {".html": fit_html, ".json": lambda result: json_text(fit_json(result)) + "\n"}


def write_report(result: FitResult, path: str | Path) -> Path:
    """Write the report of a fit: a page when `path` ends in .html, strict JSON when it ends in .json.

    The file appears at once and whole; a reader never sees half of it, and a failure leaves the older file as it was.

    Raises:
        InputError: another ending.
        OSError: the folder is missing or full.
    """
    path = Path(path)
    if path.suffix not in _RENDER:
        raise InputError(
            f"A report is written to a .html or a .json file, not to {path.name!r}; give one of these names."
        )
    replace_file(path, _RENDER[path.suffix](result).encode("utf-8", "replace"))
    return path


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` at `path` through a neighbour file, so that no moment shows a part of it."""
    handle, neighbour = mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(neighbour, 0o666 & ~_umask())  # mkstemp makes it private; a report is as readable as any new file
        os.replace(neighbour, path)
    except BaseException:
        os.unlink(neighbour)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
