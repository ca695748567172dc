"""Words for people: on one line, cut to a length, and harmless wherever they came from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from unicodedata import category

# Characters that reorder what surrounds them: text that was read from a file must not rewrite the lines beside it.
_REORDERING = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def bullets(title: str, lines: Iterable[str]) -> str:
    """A title over indented lines; empty when there is no line."""
    listed = [f"  - {shown(line, 600)}" for line in lines]
    return "\n".join([title, *listed]) if listed else ""


def duration(seconds: float | int) -> str:
    """Seconds as a person says them: "0.4 s", "38 s", "2 min 05 s", "1 h 02 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def shown(text: str, limit: int) -> str:
    """`text` on one line of at most `limit` characters, with control and reordering characters made harmless."""
    cut = text[: limit + 1]
    line = "".join(_harmless(character) for character in cut)
    return line if len(text) <= limit else f"{line[:limit]}…"


def short(source: str) -> str:
    """A source without the folders it lies in: "pairs.csv" for "data/pairs.csv", each of several by its own name."""
    return shown(", ".join(PurePath(part).name or part for part in source.split(", ")), 120)


def _harmless(character: str) -> str:
    if character in "\n\r\t\v\f\u2028\u2029":
        return " "
    return "\ufffd" if character in _REORDERING or category(character) in ("Cc", "Cs") else character
