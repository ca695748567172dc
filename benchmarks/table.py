"""Markdown tables, printed or put into a page."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose first column is text and whose others are numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def put_into(page: Path, name: str, text: str) -> None:
    """Replace what stands between `<!-- begin name -->` and `<!-- end name -->` in a page."""
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    before, found, rest = page.read_text().partition(begin)
    if not found or end not in rest:
        raise SystemExit(f"{page} has no '{begin.strip()}' ... '{end}'")
    page.write_text(before + begin + text.strip() + "\n" + end + rest.partition(end)[2])
