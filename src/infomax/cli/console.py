"""What goes to whom: results to the standard output, notes to the error stream."""

from __future__ import annotations

import sys
from typing import Any

import typer


def results(text: str) -> None:
    """Print a result on the standard output; letters that its encoding lacks are written as escapes."""
    encoding = sys.stdout.encoding or "utf-8"
    typer.echo(text.encode(encoding, "backslashreplace").decode(encoding))


def data(value: Any) -> None:
    """Print a result as one line of strict JSON on the standard output."""
    from infomax.report import json_text

    typer.echo(json_text(value))


def note(text: str, *, quiet: bool) -> None:
    """Print a line for the person who waits, on the error stream."""
    if not quiet:
        encoding = sys.stderr.encoding or "utf-8"
        typer.echo(text.encode(encoding, "backslashreplace").decode(encoding), err=True)
