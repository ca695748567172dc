"""The report of a fit on disk."""

from __future__ import annotations

from pathlib import Path

from infomax.report.html import fit_html
from infomax.report.plain import fit_json
from infomax.report.strict_json import json_text
from infomax.report.whole_file import write_whole
from infomax.training.result import FitResult


def write_report(result: FitResult, path: str | Path) -> Path:
    """Write the report of a fit: a page when `path` ends in .html, strict JSON when it ends in .json.

    Raises:
        InputError: another ending.
        InfomaxError: the disk is full, or the folder cannot be written.
    """
    return write_whole(path, {".html": lambda: fit_html(result), ".json": lambda: json_text(fit_json(result)) + "\n"})
