"""One self-contained HTML page: no network, no script, no font file."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from importlib.resources import files

# Nothing may be fetched, not even by accident: the browser itself refuses whatever is not in the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(title: str, parts: Iterable[str]) -> str:
    """The page of these parts of HTML, empty ones left out, under a title that may come from anywhere."""
    style = files("infomax.report").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>infomax: {escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in parts if part)
        + "\n</body>\n</html>\n"
    )
