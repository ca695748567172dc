"""Measure estimators of mutual information: `python -m benchmarks.information`, see docs/benchmarks-information.md.

Appends to the rivals' CSV files as it runs and skips what stands there, so an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from rich.progress import track

from benchmarks.information.measure import measure
from benchmarks.information.results import Job, append, forget, job, read
from benchmarks.information.rival import load, names
from benchmarks.information.tables import TABLES
from benchmarks.information.task import GROUPS, tasks
from benchmarks.table import put_into

RESULTS = Path(__file__).parents[1] / "results" / "information"
ONE_THREAD = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


def main() -> None:
    options = _options()
    if not options.tables:
        _run(options)
    rows = read(options.out)
    for name, table in TABLES.items():
        text = table(rows)
        if options.into:
            put_into(options.into, name, text)
        print(f"\n### {name}\n\n{text}")


def _run(options: argparse.Namespace) -> None:
    """Each row goes to its file as it comes. What failed before, but for the time it took, is tried again."""
    os.environ |= dict.fromkeys(ONE_THREAD, "1")  # of the processes to come
    wanted = list(_jobs(options))
    settled = {job(row) for row in read(options.out) if not row["error"] or row["error"].startswith("TimeoutError")}
    jobs = wanted if options.again else [one for one in wanted if one not in settled]
    forget(options.out, set(jobs))
    with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(measure, *one, options.limit) for one in jobs]
        for future in track(as_completed(futures), f"{len(jobs)} measurements", total=len(jobs)):
            append(options.out, future.result())


def _jobs(options: argparse.Namespace) -> Iterator[Job]:
    """Rival by rival, so that a process warms up few of them."""
    chosen = [
        task for task in tasks(options.groups) if not options.only or any(w in task.world.name for w in options.only)
    ]
    for name in options.rivals or names():
        try:
            rival = load(name)
        except ImportError as error:
            print(f"{name} is left out: {error}")
            continue
        for n in options.n:
            for seed in options.seeds:
                yield from ((name, task.group, task.world.name, n, seed) for task in chosen if rival.takes(task))


def _numbers(text: str) -> list[int]:
    """ "0,1,2" or "100-299"."""
    first, dash, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if dash else [int(part) for part in text.split(",")]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.information", description=__doc__)
    parser.add_argument("--rivals", nargs="+", metavar="NAME", help="file names in benchmarks/information/rivals")
    parser.add_argument("--groups", nargs="+", choices=GROUPS, default=["beyond-normal"])
    parser.add_argument("--only", nargs="+", metavar="TEXT", help="worlds whose name contains one of these")
    parser.add_argument("--n", type=_numbers, default=[1000, 10_000], help="sizes, such as 1000,10000")
    parser.add_argument("--seeds", type=_numbers, default=[0, 1, 2], help="such as 0,1,2 or 100-299")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--limit", type=float, default=600.0, help="seconds after which a measurement is given up")
    parser.add_argument("--again", action="store_true", help="measure anew what stands in the file")
    parser.add_argument("--tables", action="store_true", help="measure nothing, only write the tables")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the CSV files, one a rival")
    parser.add_argument("--into", type=Path, help="a Markdown page whose tables are to be replaced")
    return parser.parse_args()


if __name__ == "__main__":
    main()
