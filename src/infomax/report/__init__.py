"""What a result says, for three readers: a person at a terminal, a program, and a person with a browser.

Every function here is pure: a result goes in, a string or plain data comes out. Only those named `write_` touch a disk.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Names resolve on first use: the report of a table must not wait for torch, which that of a fit comes with.
_FILES = {
    "LanguageReport": "language_report",
    "Sample": "language_report",
    "bits_per_character": "language_report",
    "bullets": "words",
    "duration": "words",
    "evaluation_json": "plain",
    "evaluation_text": "text",
    "fit_html": "html",
    "fit_json": "plain",
    "fit_text": "text",
    "information_html": "information",
    "information_text": "information_lines",
    "json_text": "strict_json",
    "language_html": "language_page",
    "language_json": "language_report",
    "language_reading_json": "language_report",
    "language_reading_text": "language_lines",
    "language_text": "language_lines",
    "plan_text": "planned",
    "short": "words",
    "shown": "words",
    "skipped_text": "text",
    "write_information": "information",
    "write_language": "language_page",
    "write_report": "write",
}
__all__ = [*_FILES]


def __getattr__(name: str) -> Any:
    if name in _FILES:
        return getattr(import_module(f"infomax.report.{_FILES[name]}"), name)
    raise AttributeError(f"module 'infomax.report' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
