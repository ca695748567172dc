"""Time and memory of output layers as the vocabulary grows: `python -m benchmarks.vocabulary`, see docs/benchmarks-language.md.

A step is forward, backward and update of the layer, contexts with gradients, targets by Zipf's law or by that of a real
catalogue, which is the law of the draws too, float32, one thread, in process CPU time. Every measurement is a process of its own;
the rounds are interleaved, so that a slow moment of the machine meets everyone. Memory is the peak of resident memory, less what
was there before the law and the layer were built: alias table, parameters, gradients, moments and all. Linux with glibc only.
"""

from __future__ import annotations

import argparse
import csv
import ctypes
import datetime
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.machine import machine
from benchmarks.table import markdown, put_into
from benchmarks.vocabulary_laws import law, size
from benchmarks.vocabulary_rival import BATCH, DRAWS, WIDTH, VocabularyRival, load, names

LAWS = ["10000", "100000", "1000000", "10000000", "npm"]
ZIPF = "Zipf's"
LEAST_STEPS, LEAST_SECONDS = 3, 1.0
COLUMNS: tuple[str, ...] = (
    *("date", "machine", "python", "torch", "load"),
    *("rival", "law", "classes", "d", "batch", "draws", "rounds"),
)
COLUMNS += ("median_ms", "least_ms", "peak_mib", "note")


def main() -> None:
    options = _options()
    if options.one:
        print(json.dumps(measured(load(options.one[0]), options.one[1])))
        return
    about = {"date": datetime.date.today().isoformat()} | {k: v for k, v in machine().items() if k in COLUMNS}
    path = Path(options.out or Path(__file__).parent / f"results/vocabulary-{about['date']}.csv")
    rows: list[dict[str, Any]] = []
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for classes in options.laws:
            found = _rows(options.rivals or names(), classes, options.rounds, options.limit)
            rows += found
            writer.writerows(about | row for row in found)
            file.flush()
            print(*(f"{classes:>9} {r['rival']:45} {_cell(r)}" for r in found), sep="\n", flush=True)
    text = f"{', '.join(f'{key} {value}' for key, value in about.items())}\n\n{_table(rows)}"
    print(f"\n{text}\n\nwritten: {path}")
    if options.into:
        put_into(Path(options.into), "vocabulary", text)
    if options.plot:
        plot(rows, Path(options.plot))


def measured(rival: VocabularyRival, classes: str) -> dict[str, Any]:
    """CPU milliseconds of each step after the first, and the peak of memory."""
    torch.set_num_threads(1)
    _steps(rival, "2000", 0.0)  # what the libraries set up at first is not the layer's
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _status("VmRSS")
    took = _steps(rival, classes, LEAST_SECONDS)
    return {"ms": [1e3 * seconds for seconds in took], "peak_mib": (_status("VmHWM") - before) / 1024}


def _steps(rival: VocabularyRival, classes: str, least_seconds: float) -> list[float]:
    """CPU seconds of each step but the first, in which the optimiser makes its moments."""
    rng, drawn_by = torch.Generator().manual_seed(0), law(classes)
    loss, optimizer = rival.build(drawn_by)
    took: list[float] = []
    while len(took) < 1 + LEAST_STEPS or sum(took[1:]) < least_seconds:
        hidden = torch.randn(BATCH, WIDTH, generator=rng).requires_grad_()
        targets = drawn_by.draw(BATCH, rng).ids
        start = time.process_time()
        optimizer.zero_grad()
        loss(hidden, targets).backward()
        optimizer.step()
        took.append(time.process_time() - start)
    return took[1:]


def _rows(files: list[str], classes: str, rounds: int, limit: float) -> list[dict[str, Any]]:
    rivals = {file: load(file) for file in files}
    seen: dict[str, list[dict[str, Any]]] = {file: [] for file, r in rivals.items() if r.gib(size(classes)) <= limit}
    for _ in range(rounds):
        for file in seen:
            command = [sys.executable, "-m", "benchmarks.vocabulary", "--one", file, classes]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            seen[file].append(json.loads(done.stdout.splitlines()[-1]))
    return [_row(rival, classes, seen.get(file)) for file, rival in rivals.items()]


def _row(rival: VocabularyRival, classes: str, seen: list[dict[str, Any]] | None) -> dict[str, Any]:
    row = {
        "rival": rival.name,
        "law": _law(classes),
        "classes": size(classes),
        "d": WIDTH,
        "batch": BATCH,
        "draws": DRAWS,
    }
    if not seen:
        return row | {"note": f"left out: needs about {rival.gib(size(classes)):.0f} GiB"}
    took = [ms for each in seen for ms in each["ms"]]
    return row | {
        **{"rounds": len(seen), "median_ms": f"{median(took):.4g}", "least_ms": f"{min(took):.4g}"},
        "peak_mib": f"{max(each['peak_mib'] for each in seen):.0f}",
    }


def _table(rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys((row["law"], row["classes"]) for row in rows))
    found = {(row["rival"], row["law"], row["classes"]): row for row in rows}
    named = [f"V={classes:,}{'' if by == ZIPF else f', {by}'}" for by, classes in columns]
    header = ["CPU ms a step: least / median; peak MiB", *named]
    body = [
        [name, *(_cell(found[name, *at]) for at in columns)] for name in dict.fromkeys(row["rival"] for row in rows)
    ]
    return markdown(header, body)


def _law(classes: str) -> str:
    return "npm packages" if classes == "npm" else ZIPF


def _cell(row: dict[str, Any]) -> str:
    if note := row.get("note"):
        return str(note)
    least, median_ = (
        f"{ms:,.0f}" if (ms := float(row[name])) > 1000 else f"{ms:.3g}" for name in ("least_ms", "median_ms")
    )
    return f"{least} / {median_}; {int(row['peak_mib']):,}"


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Time and memory against V."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "vocabulary"
    from matplotlib import pyplot

    figure, sides = pyplot.subplots(1, 2, figsize=(10, 4), sharex=True)
    for axes, column, label in zip(sides, ("least_ms", "peak_mib"), ("CPU ms a step", "peak memory, MiB"), strict=True):
        for name in dict.fromkeys(row["rival"] for row in rows):
            mine = [row for row in rows if (row["rival"], row["law"]) == (name, ZIPF) and "note" not in row]
            axes.loglog([r["classes"] for r in mine], [float(r[column]) for r in mine], marker="o", label=name)
        axes.set_xlabel("classes")
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
    sides[0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def _status(field: str) -> int:
    """KiB, from /proc/self/status."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vocabulary", description=__doc__)
    parser.add_argument("--rivals", nargs="+", help="file names in benchmarks/vocabulary_rivals")
    parser.add_argument("--laws", nargs="+", default=LAWS, help="numbers of classes by Zipf's law, or npm")
    parser.add_argument("--rounds", type=int, default=5, help="processes a rival and size")
    parser.add_argument("--limit", type=float, default=12.0, help="GiB; what needs more is left out")
    parser.add_argument("--out", help="the CSV file")
    parser.add_argument("--into", help="a Markdown page whose table (vocabulary) is to be replaced")
    parser.add_argument("--plot", help="an SVG file")
    parser.add_argument("--one", nargs=2, metavar=("RIVAL", "LAW"), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
