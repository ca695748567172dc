"""Results as CSV files that grow row by row, so that a run that is cut off loses nothing and goes on."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any


def read(path: Path) -> list[dict[str, str]]:
    """All rows so far."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def append(path: Path, row: dict[str, Any]) -> None:
    """One row more; the first one gives the columns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", newline="") as file:
        file.seek(0)
        header = next(csv.reader(file), None)
        writer = csv.DictWriter(file, header or list(row))
        if not header:
            writer.writeheader()
        writer.writerow(row)
