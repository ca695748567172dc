"""Small pieces of HTML in which nothing that came from outside can do more than be read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from infomax.report.words import shown


def text(content: str, limit: int) -> str:
    """`content` as HTML on which nothing around it depends: cut, made harmless, escaped, isolated in its direction."""
    return f"<bdi>{escape(shown(content, limit))}</bdi>"


def table(rows: Sequence[tuple[str, Any]]) -> str:
    """Rows of (name, value) as a table."""
    cells = "".join(
        f'<tr><th scope="row">{text(name, 300)}</th><td>{text(_setting(value), 600)}</td></tr>' for name, value in rows
    )
    return f"<table><tbody>{cells}</tbody></table>"


def tiles(cells: Iterable[tuple[str, str, str]]) -> str:
    """(name, figure, small line beside it) each as one large figure."""
    drawn = "\n".join(
        f'<div class="tile"><dt>{text(name, 100)}</dt><dd class="figure">{text(figure, 40)}</dd>'
        f'<dd class="beside">{text(beside, 120)}</dd></div>'
        for name, figure, beside in cells
    )
    return f'<dl class="tiles">\n{drawn}\n</dl>'


def _setting(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
