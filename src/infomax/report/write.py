"""A report on disk: whole or not at all."""

from __future__ import annotations

from pathlib import Path

from infomax.errors import InputError
from infomax.evaluation.storage import replace
from infomax.report.html import fit_html
from infomax.report.plain import fit_json
from infomax.report.strict_json import json_text
from infomax.training.result import FitResult

_RENDER = {".html": fit_html, ".json": lambda result: json_text(fit_json(result)) + "\n"}


def write_report(result: FitResult, path: str | Path) -> Path:
    """Write the report of a fit: a page when `path` ends in .html, strict JSON when it ends in .json.

    The file appears at once and whole; a reader never sees half of it, and a failure leaves the older file as it was.

    Raises:
        InputError: another ending.
        InfomaxError: the disk is full, or the folder cannot be written.
    """
    path = Path(path)
    if path.suffix not in _RENDER:
        raise InputError(
            f"A report is written to a .html or a .json file, not to {path.name!r}; give one of these names."
        )
    content = _RENDER[path.suffix](result).encode("utf-8", "replace")
    replace(path, lambda temporary: temporary.write_bytes(content))
    return path
