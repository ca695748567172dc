"""Peak memory of the rivals, each in a process of its own: `python -m benchmarks.memory`, see docs/benchmarks.md.

Peak resident memory during one value with its gradients, less what was resident before: inputs there, libraries loaded and
warm. Gradients count. The median of several processes, since what the allocator reuses differs by some megabytes from one to
the next. Linux with glibc only.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import datetime
import subprocess
import sys
from pathlib import Path
from statistics import median

import torch

from benchmarks.machine import machine, versions
from benchmarks.rival import Rival, load
from benchmarks.table import markdown, put_into
from benchmarks.worlds.unit_pairs import TEMPERATURE, draw

CELLS = [("one_way", 8192, 384), ("symmetric", 8192, 384), ("one_way", 32768, 128), ("symmetric", 32768, 128)]
LIMIT_GIB = 16.0
PROCESSES = 3
COLUMNS = (
    *("date", "machine", "python", "torch", "product", "load", "objective", "rival", "versions"),
    *("n", "d", "extra_mib", "gradients_mib", "note"),
)


def main() -> None:
    options = _options()
    if options.one:
        name, objective, n, d = options.one
        print(extra_mib(load([name])[0][0], objective, int(n), int(d)))
        return
    about = {"date": datetime.date.today().isoformat(), **machine()}
    path = Path(options.out or Path(__file__).parent / f"results/memory-{about['date']}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [about | row for row in _all(options.rivals)]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    print(_table(rows) + f"\n\nwritten: {path}")
    if options.into:
        put_into(Path(options.into), "memory", _table(rows))


def _all(wanted: list[str] | None) -> list[dict[str, object]]:
    folder, rows = Path(__file__).parent / "rivals", []
    for objective, n, d in CELLS:
        for file in sorted(folder.glob("[a-z]*.py")):
            found = load([file.stem])[0] if wanted is None or file.stem in wanted else []
            for rival in found:
                if objective in rival.objectives and n <= rival.largest and not rival.floor:
                    rows.append(_row(file.stem, rival, objective, n, d))
    return rows


def _row(file: str, rival: Rival, objective: str, n: int, d: int) -> dict[str, object]:
    row: dict[str, object] = {"objective": objective, "rival": rival.name, "versions": versions(rival.packages)}
    row |= {"n": n, "d": d, "gradients_mib": f"{2 * n * d * 4 / 2**20:.0f}", "extra_mib": "", "note": ""}
    needs = rival.dense * n * n / 2**30
    if needs >= LIMIT_GIB:
        return row | {"note": f"left out: its N x N arrays need about {needs:.0f} GiB"}
    command = [sys.executable, "-m", "benchmarks.memory", "--one", file, objective, str(n), str(d)]
    found = []
    for _ in range(PROCESSES):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return row | {"note": f"failed: {(done.stderr.strip().splitlines() or ['no message'])[-1][:120]}"}
        found.append(float(done.stdout.split()[-1]))
    return row | {"extra_mib": f"{median(found):.0f}"}


def extra_mib(rival: Rival, objective: str, n: int, d: int) -> float:
    """Peak resident memory of a step over what was resident before it, in MiB."""
    torch.set_num_threads(1)
    rival.step(objective, *draw(1024, d), TEMPERATURE)  # large enough that what streams does
    q, k = draw(n, d)
    ctypes.CDLL(None).malloc_trim(0)  # what the draw left free would hide as much of the step
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _status("VmRSS")
    rival.step(objective, q, k, TEMPERATURE)
    return (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    """KiB, from /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def _table(rows: list[dict[str, object]]) -> str:
    names = list(dict.fromkeys(str(row["rival"]) for row in rows))
    cells = list(dict.fromkeys((row["objective"], row["n"], row["d"]) for row in rows))
    found = {(row["rival"], row["objective"], row["n"], row["d"]): row["extra_mib"] or row["note"] for row in rows}
    body = [[name, *(str(found.get((name, *cell), "")) for cell in cells)] for name in names]
    return markdown(["extra MiB", *(f"{objective} N={n} d={d}" for objective, n, d in cells)], body)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--rivals", nargs="+", help="file names in benchmarks/rivals")
    parser.add_argument("--out", help="the CSV file")
    parser.add_argument("--into", help="a Markdown page whose table (memory) is to be replaced")
    parser.add_argument("--one", nargs=4, metavar=("RIVAL", "OBJECTIVE", "N", "D"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
