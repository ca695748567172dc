"""Time the rivals: `python -m benchmarks.run`, see docs/benchmarks.md."""

from __future__ import annotations

import argparse
import csv
import datetime
from pathlib import Path
from statistics import median
from typing import Any

import torch

from benchmarks.agreement import Agreement
from benchmarks.machine import machine, versions
from benchmarks.objectives import OBJECTIVES
from benchmarks.rival import Rival, load
from benchmarks.rivals import floor, floor_mm, torch_plain
from benchmarks.table import markdown, put_into
from benchmarks.timing import interleaved
from benchmarks.worlds.unit_pairs import TEMPERATURE, draw

SMALL = [(n, d) for d in (128, 384) for n in (64, 128, 256, 512)]
LARGE = [(n, d) for n in (1024, 4096) for d in (128, 384, 768)]
NT_XENT_LARGEST = 1024  # its matrix has 4 N² cells
COLUMNS = (
    *("date", "machine", "python", "torch", "product", "load", "threads", "objective", "rival", "versions"),
    *("n", "d", "temperature", "rounds", "median_s", "minimum_s", "over_floor", "over_mm_floor", "over_plain"),
    *("value_error", "gradient_error"),
)
Row = dict[str, Any]


def main() -> None:
    options = _options()
    torch.set_num_threads(options.threads)
    rivals, notes = load(options.rivals and [*options.rivals, "floor", "floor_mm", "torch_plain"])
    for note in notes:
        print(note)
    about = {"date": datetime.date.today().isoformat(), "threads": options.threads, **machine()}
    texts = [", ".join(f"{name} {value}" for name, value in about.items())]
    print(texts[0])
    path = Path(options.out or Path(__file__).parent / f"results/contrastive-{about['date']}-{options.threads}.csv")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for objective in options.objectives:
            measured = []
            for n, d in options.sizes:
                if objective != "nt_xent" or n <= NT_XENT_LARGEST:
                    found = _measure(rivals, objective, n, d, options)
                    measured += found
                    writer.writerows(about | row for row in found)
                    file.flush()
            if measured:
                texts.append(f"### {objective}, threads: {options.threads}\n\n{_tables(measured)}")
                print(f"\n{texts[-1]}", flush=True)
    if options.into:
        put_into(Path(options.into), f"contrastive-{options.threads}", "\n\n".join(texts))
    print(f"\nwritten: {path}")


def _measure(rivals: list[Rival], objective: str, n: int, d: int, options: argparse.Namespace) -> list[Row]:
    """One row a rival that has the objective at this size, fastest first."""
    q, k = draw(n, d)
    here = [rival for rival in rivals if objective in rival.objectives and n <= rival.largest]
    judge = Agreement(objective, q, k, TEMPERATURE)
    errors = {rival.name: ("", "") if rival.floor else judge.of(rival) for rival in here}  # warms them up too
    del judge
    seconds = interleaved(here, objective, q, k, TEMPERATURE, options.repeats, options.budget)
    least = {name: min(values) for name, values in seconds.items()}
    row = {"objective": objective, "n": n, "d": d, "temperature": TEMPERATURE}
    return [
        row
        | {
            "rival": rival.name,
            "versions": versions(rival.packages),
            "rounds": len(seconds[rival.name]),
            "median_s": f"{median(seconds[rival.name]):.6g}",
            "minimum_s": f"{least[rival.name]:.6g}",
            "over_floor": f"{least[rival.name] / least[floor.RIVAL.name]:.3f}",
            "over_mm_floor": f"{least[rival.name] / least[floor_mm.RIVAL.name]:.3f}",
            "over_plain": f"{least[rival.name] / least[torch_plain.RIVAL.name]:.3f}",
            "value_error": _short(errors[rival.name][0]),
            "gradient_error": _short(errors[rival.name][1]),
        }
        for rival in sorted(here, key=lambda rival: least[rival.name])
    ]


def _tables(rows: list[Row]) -> str:
    """Milliseconds (least, and median) and the ratio of the least to the floor; then the errors at the largest size."""
    sizes = list(dict.fromkeys((row["n"], row["d"]) for row in rows))
    names = list(dict.fromkeys(row["rival"] for row in sorted(rows, key=lambda row: -row["n"] * row["d"])))
    cells = {(row["rival"], row["n"], row["d"]): row for row in rows}
    header = ["ms: least / median (least over the floor)", *(f"N={n} d={d}" for n, d in sizes)]
    body = [[name, *(_cell(cells.get((name, n, d))) for n, d in sizes)] for name in names]
    errors = [[name, *(_errors(cells.get((name, n, d))) for n, d in sizes)] for name in names if "floor" not in name]
    return markdown(header, body) + "\n\n" + markdown(["error of value / gradients", *header[1:]], errors)


def _cell(row: Row | None) -> str:
    if row is None:
        return ""
    return f"{1e3 * float(row['minimum_s']):.3g} / {1e3 * float(row['median_s']):.3g} ({float(row['over_floor']):.2f})"


def _errors(row: Row | None) -> str:
    return "" if row is None else f"{row['value_error']} / {row['gradient_error']}"


def _short(error: float | str) -> str:
    return error if isinstance(error, str) else f"{error:.1e}"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    parser.add_argument(
        "--rivals", nargs="+", help="file names in benchmarks/rivals; the floors and plain torch always run"
    )
    parser.add_argument("--sizes", nargs="+", type=_size, default=SMALL + LARGE, help="NxD, such as 4096x384")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=15, help="rounds at most")
    parser.add_argument("--budget", type=float, default=5.0, help="seconds a size, after which no further round begins")
    parser.add_argument("--out", help="the CSV file")
    parser.add_argument("--into", help="a Markdown page whose tables (contrastive-THREADS) are to be replaced")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    n, _, d = text.partition("x")
    return int(n), int(d)


if __name__ == "__main__":
    main()
