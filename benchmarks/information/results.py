"""The measurements: one CSV file a rival, to which rows are appended one by one."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from benchmarks import rows
from benchmarks.information.measure import Row

Job = tuple[str, str, str, int, int]  # rival, group, world, n, seed


def job(row: Row) -> Job:
    """What a row is the answer to."""
    return row["rival"], row["group"], row["world"], int(row["n"]), int(row["seed"])


def read(folder: Path) -> list[Row]:
    """All rows of all rivals."""
    return [row for path in sorted(folder.glob("*.csv")) for row in rows.read(path)]


def append(folder: Path, row: Row) -> None:
    """One row more; the file may grow from several runs at once."""
    rows.append(folder / f"{row['rival']}.csv", row)


def forget(folder: Path, jobs: Collection[Job]) -> None:
    """Takes out the rows of these jobs, which are to be measured anew."""
    for name in sorted({job[0] for job in jobs}):
        path = folder / f"{name}.csv"
        kept = [row for row in rows.read(path) if job(row) not in jobs]
        path.unlink(missing_ok=True)
        for row in kept:
            append(folder, row)
