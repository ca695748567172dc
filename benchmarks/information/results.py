"""The measurements: one CSV file a rival, to which rows are appended one by one."""

from __future__ import annotations

import csv
from collections.abc import Collection
from pathlib import Path

from benchmarks.information.measure import COLUMNS, Row

Job = tuple[str, str, str, int, int]  # rival, group, world, n, seed


def job(row: Row) -> Job:
    """What a row is the answer to."""
    return row["rival"], row["group"], row["world"], int(row["n"]), int(row["seed"])


def read(folder: Path) -> list[Row]:
    """All rows of all rivals."""
    rows: list[Row] = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="") as file:
            rows += csv.DictReader(file)
    return rows


def append(folder: Path, row: Row) -> None:
    """One row more; the file may grow from several runs at once."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{row['rival']}.csv"
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if fresh:
            writer.writeheader()
        writer.writerow(row)


def forget(folder: Path, jobs: Collection[Job]) -> None:
    """Takes out the rows of these jobs, which are to be measured anew."""
    for name in sorted({job[0] for job in jobs}):
        path = folder / f"{name}.csv"
        if path.exists():
            with path.open(newline="") as file:
                kept = [row for row in csv.DictReader(file) if job(row) not in jobs]
            path.unlink()
            for row in kept:
                append(folder, row)
