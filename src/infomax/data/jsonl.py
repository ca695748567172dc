"""JSON lines: one object a line, read line by line so that a broken line can be named."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from infomax.data.text_files import not_in_encoding, open_bytes, well_formed
from infomax.errors import InputError

_BATCH_BYTES = 8 << 20


def jsonl_batches(
    path: Path, encoding: str, assign: Callable[[list[str]], dict[str, str]], skipped: Counter[str]
) -> Iterator[pa.RecordBatch]:
    """Batches of string columns named by role; numbers become text, broken lines are counted in `skipped`."""
    roles: dict[str, str] = {}
    rows: list[dict[str, str | None]] = []
    size = 0
    schema = pa.schema([])
    for number, line_size, item in _objects(path, encoding, skipped):
        if not roles:
            roles = assign(list(item))
            schema = pa.schema(dict.fromkeys(roles, pa.string()))
        rows.append({role: _text(item.get(name), name, path, number) for role, name in roles.items()})
        size += line_size
        if size >= _BATCH_BYTES:
            yield pa.RecordBatch.from_pylist(rows, schema=schema)
            rows, size = [], 0
    if rows:
        yield pa.RecordBatch.from_pylist(rows, schema=schema)


def parsed(line: str) -> Any:
    """What a line of JSON holds; None where it is broken, too deep, or holds a number of thousands of digits."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _objects(path: Path, encoding: str, skipped: Counter[str]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """(line number, bytes, object) of each line that holds a JSON object."""
    first_broken, broken = 0, 0
    for number, line in _lines(path, encoding):
        item = parsed(line)
        if isinstance(item, dict):
            yield number, len(line), item
        elif number == 1 and line.startswith("["):
            raise InputError(f"{path} is one JSON array: write one object a line instead (`jq -c '.[]'` does).")
        else:
            first_broken, broken = first_broken or number, broken + 1
    if broken:
        skipped[f"lines that are not a JSON object, the first at line {first_broken}"] += broken


def _lines(path: Path, encoding: str) -> Iterator[tuple[int, str]]:
    with open_bytes(path) as file:
        lines = io.TextIOWrapper(file, "utf-8-sig" if encoding == "utf-8" else encoding, newline="\n")
        try:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, line
        except UnicodeError:
            raise not_in_encoding(path, encoding) from None


def _text(value: Any, name: str, path: Path, line: int) -> str | None:
    if value is None or value != value:  # NaN differs from itself
        return None
    if isinstance(value, dict | list):
        raise InputError(f"Column {name!r} of {path} is nested (line {line}): give text, or a column inside it.")
    return well_formed(value) if isinstance(value, str) else str(value)
