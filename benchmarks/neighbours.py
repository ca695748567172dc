"""Time KSG against other packages: `python -m benchmarks.neighbours`, see docs/guides/neighbours.md.

Gaussian pairs, correlation 0.8 column by column, standardised, k = 3, one thread. Process CPU time, interleaved: every
round asks all rivals in turn, so that a slow moment of the machine meets everyone. Each rival's value is compared with
the definition, computed from all distances, up to `JUDGED` rows, and with the first rival's beyond.
"""

from __future__ import annotations

import argparse
import csv
import datetime
import gc
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from scipy.special import digamma
from threadpoolctl import threadpool_limits

from benchmarks.machine import machine, versions
from benchmarks.neighbour_rival import NeighbourRival, load
from benchmarks.table import markdown, put_into

K, RHO = 3, 0.8
SIZES = [(10**3, 1), (10**4, 1), (10**5, 1), (10**6, 1), (10**3, 5), (10**4, 5), (10**3, 25), (10**4, 25)]
JUDGED = 2000
SHORTEST = 0.1  # seconds of one measurement, by repeating the call: the process clock may tick every 4 ms
COLUMNS = (*("date", "machine", "python", "load"), *("rival", "versions", "n", "d", "k", "rounds"))
COLUMNS += ("median_s", "minimum_s", "nats", "error", "over_infomax")


def main() -> None:
    options = _options()
    rivals, notes = load()
    print(*notes, sep="\n")
    about = {"date": datetime.date.today().isoformat()} | {
        key: value for key, value in machine().items() if key in COLUMNS
    }
    print(about)
    path = Path(options.out or Path(__file__).parent / f"results/neighbours-{about['date']}.csv")
    rows: list[dict[str, Any]] = []
    with path.open("w", newline="") as file, threadpool_limits(1):
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for n, d in options.sizes:
            found = _measure(rivals, n, d, options.rounds, options.budget)
            rows += found
            writer.writerows(about | row for row in found)
            file.flush()
            print(
                *(f"{n:>8} {d:>3} {row['rival']:30} {row['median_s']:>10} s {row['error']}" for row in found), sep="\n"
            )
    text = f"{', '.join(f'{key} {value}' for key, value in about.items())}\n\n{_table(rows)}"
    print(f"\n{text}\n\nwritten: {path}")
    if options.into:
        put_into(Path(options.into), "neighbours", text)


def draw(n: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """(n, d) x and y, each column of mean 0 and standard deviation 1."""
    rng = np.random.default_rng(n + d)
    x = rng.normal(size=(n, d))
    y = RHO * x + np.sqrt(1 - RHO**2) * rng.normal(size=(n, d))
    return (x - x.mean(0)) / x.std(0), (y - y.mean(0)) / y.std(0)


def definition(x: np.ndarray, y: np.ndarray) -> float:
    """KSG 1 from all distances."""
    dx, dy = cdist(x, x, "chebyshev"), cdist(y, y, "chebyshev")
    radius = np.partition(np.maximum(dx, dy), K, axis=1)[:, K, None]
    counts = [(apart < radius).sum(1) for apart in (dx, dy)]  # the point itself stands for the + 1
    return float(digamma(K) + digamma(len(x)) - np.mean(digamma(counts[0]) + digamma(counts[1])))


def _measure(rivals: list[NeighbourRival], n: int, d: int, rounds: int, budget: float) -> list[dict[str, Any]]:
    """One row a rival that takes this size, fastest first."""
    x, y = draw(n, d)
    here = [rival for rival in rivals if d <= rival.most_columns and n >= rival.smallest]
    nats = {rival.name: rival.nats(x, y, K) for rival in here}
    truth = definition(x, y) if n <= JUDGED else nats["infomax"]
    seconds: dict[str, list[float]] = {rival.name: [] for rival in here}
    calls, began = dict.fromkeys(seconds, 1), time.perf_counter()
    for done in range(rounds):
        if done >= 3 and time.perf_counter() - began > budget:
            break
        for rival in here:
            taken = _time(rival, x, y, calls[rival.name])
            if not done:
                calls[rival.name] = max(1, round(SHORTEST / max(taken, 1e-4)))
            if done or calls[rival.name] == 1:
                seconds[rival.name].append(taken / calls[rival.name])
    ours = median(seconds["infomax"])
    return [
        {
            **{"rival": rival.name, "versions": versions(rival.packages), "n": n, "d": d, "k": K},
            **{"rounds": len(seconds[rival.name]), "median_s": f"{median(seconds[rival.name]):.4g}"},
            **{"minimum_s": f"{min(seconds[rival.name]):.4g}", "nats": f"{nats[rival.name]:.6f}"},
            "error": f"{abs(nats[rival.name] - truth):.1e}" if rival.same_number else "",
            "over_infomax": f"{median(seconds[rival.name]) / ours:.2f}",
        }
        for rival in sorted(here, key=lambda rival: median(seconds[rival.name]))
    ]


def _time(rival: NeighbourRival, x: np.ndarray, y: np.ndarray, calls: int) -> float:
    gc.collect()
    start = time.process_time()
    for _ in range(calls):
        rival.nats(x, y, K)
    return time.process_time() - start


def _table(rows: list[dict[str, Any]]) -> str:
    """CPU milliseconds (median), and how many times that of infomax."""
    sizes = list(dict.fromkeys((row["n"], row["d"]) for row in rows))
    names = list(dict.fromkeys(row["rival"] for row in rows))
    cells = {(row["rival"], row["n"], row["d"]): row for row in rows}
    header = ["CPU ms (over infomax)", *(f"n={n:,} {d}+{d}" for n, d in sizes)]
    body = [[name, *(_cell(cells.get((name, n, d))) for n, d in sizes)] for name in names]
    return markdown(header, body)


def _cell(row: dict[str, Any] | None) -> str:
    return "" if row is None else f"{1e3 * float(row['median_s']):.3g} ({float(row['over_infomax']):.2f})"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.neighbours", description=__doc__)
    parser.add_argument("--sizes", nargs="+", type=_size, default=SIZES, help="NxD, such as 10000x5")
    parser.add_argument("--rounds", type=int, default=7, help="rounds at most")
    parser.add_argument(
        "--budget", type=float, default=20.0, help="seconds a size, after which no further round begins"
    )
    parser.add_argument("--out", help="the CSV file")
    parser.add_argument("--into", help="a Markdown page whose table (neighbours) is to be replaced")
    return parser.parse_args()


def _size(text: str) -> tuple[int, int]:
    n, _, d = text.partition("x")
    return int(n), int(d)


if __name__ == "__main__":
    main()
