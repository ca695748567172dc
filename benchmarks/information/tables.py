"""The tables of docs/benchmarks-information.md, each a function of the rows of the CSV file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf
from statistics import mean, median
from typing import Any

from benchmarks.information.rival import load
from benchmarks.information.task import tasks
from benchmarks.table import markdown

Row = dict[str, Any]
FACTOR = 1.5  # how far from the truth a task may end, as a ratio either way
GAUSSIAN = {task.world.name for task in tasks(["beyond-normal"]) if task.world.gaussian}


def beyond_normal(rows: list[Row]) -> str:
    """The point estimates over the 40 tasks."""
    header = ["rival", "n", "tasks × seeds", "MAE, nats", "Gaussian 20", "other 20", "bias"]
    header += [f"tasks beyond a factor of {FACTOR:g}", "worst task: estimate / truth", "CPU s: median", "most"]
    lines = []
    for (rival, n), group in _split(_told(rows, "nats", "beyond-normal"), "rival", "n"):
        errors = [abs(_error(row, "nats")) for row in group]
        parts = [
            [e for e, row in zip(errors, group, strict=True) if (row["world"] in GAUSSIAN) == g] for g in (True, False)
        ]
        ratios = {world: mean(_ratio(row) for row in of_world) for (world,), of_world in _split(group, "world")}
        worst = max(ratios, key=lambda world: max(ratios[world], 1 / max(ratios[world], 1e-9)))
        beyond = sum(not 1 / FACTOR <= ratio <= FACTOR for ratio in ratios.values())
        seconds = [float(row["cpu_s"]) for row in group]
        cells = [f"{mean(errors):.4f}", *(f"{mean(part):.3f}" if part else "" for part in parts)]
        cells += [f"{mean(_error(row, 'nats') for row in group):+.3f}", f"{beyond} of {len(ratios)}"]
        cells += [f"{worst}: {ratios[worst]:.2f}", f"{median(seconds):.3g}", f"{max(seconds):.3g}"]
        lines.append((int(n), len(ratios) < 40, mean(errors), [_name(rival), f"{int(n):,}", _count(group), *cells]))
    return markdown(header, [line for *_, line in sorted(lines)])


def lower_sides(rows: list[Row]) -> str:
    """The held-out bound and the certificate over the 40 tasks: how far below the truth, how often above it."""
    header = [
        "rival",
        "n",
        "what",
        "tasks × seeds",
        "mean shortfall, nats",
        "mean share of the truth",
        "above the truth",
    ]
    lines = []
    for column, what in (("held_out", "held-out bound"), ("certified", "certified, 95 %")):
        for (rival, n), group in _split(_told(rows, column, "beyond-normal"), "rival", "n"):
            shortfall = mean(-_error(row, column) for row in group)
            share = mean(float(row[column]) / float(row["truth"]) for row in group)
            above = sum(_error(row, column) > 0 for row in group)
            cells = [what, _count(group), f"{shortfall:.3f}", f"{share:.2f}", f"{above} of {len(group)}"]
            lines.append([_name(rival), f"{int(n):,}", *cells])
    return markdown(header, lines)


def other_worlds(rows: list[Row]) -> str:
    """MAE by group, and on independent worlds what is reported."""
    groups = ["staircase", "high", "discrete", "mixed", "series", "conditional", "independent"]
    lines = []
    for (rival, n), of_rival in _split(_told(rows, "nats", *groups), "rival", "n"):
        found = {group: part for (group,), part in _split(of_rival, "group")}
        cells = [_mae(found[group]) if group in found else "" for group in groups]
        lines.append((int(n), rival != "infomax", [_name(rival), f"{int(n):,}", *cells]))
    return markdown(["MAE, nats (tasks × seeds)", "n", *groups], [line for *_, line in sorted(lines)])


def staircase(rows: list[Row]) -> str:
    """What is reported at each step, mean over seeds."""
    worlds = [task.world.name for task in tasks(["staircase"])]
    lines = []
    for (rival, n), group in _split(_told(rows, "nats", "staircase"), "rival", "n"):
        found = {world: mean(float(row["nats"]) for row in part) for (world,), part in _split(group, "world")}
        cells = [f"{found[world]:.2f}" if world in found else "" for world in worlds]
        lines.append((int(n), [_name(rival), f"{int(n):,}", *cells]))
    short = [world.removeprefix("staircase 20x20, ") for world in worlds]
    return markdown(["estimate, nats", "n", *short], [line for _, line in sorted(lines)])


def zero(rows: list[Row]) -> str:
    """Independent worlds: how often more than nothing is claimed."""
    header = [
        "rival",
        "n",
        "worlds × seeds",
        "mean estimate",
        "largest",
        "beyond 2 standard errors",
        "interval above 0",
    ]
    header += ["p ≤ 0.05", "certificate above 0"]
    lines = []
    for (rival, n), group in _split(_of_groups(rows, "independent"), "rival", "n"):
        values = [float(row["nats"]) for row in group if row["nats"]]
        spread = [
            abs(float(r["nats"])) > 2 * float(r["standard_error"]) for r in group if r["nats"] and r["standard_error"]
        ]
        above = [float(row["low"]) > 0 for row in group if row["low"]]
        small = [float(row["p_value"]) <= 0.05 for row in group if row["p_value"]]
        certified = [float(row["certified"]) > 0 for row in group if row["certified"]]
        cells = [f"{mean(values):+.4f}", f"{max(values, key=abs):+.4f}"] if values else ["", ""]
        cells += [_share(spread), _share(above), _share(small), _share(certified)]
        lines.append([_name(rival), f"{int(n):,}", _count(group), *cells])
    return markdown(header, lines)


def coverage(rows: list[Row]) -> str:
    """How often the 95 % interval holds the truth, by group."""
    header = ["rival", "n", "group", "worlds × seeds", "holds the truth", "below it", "above it", "median width, nats"]
    lines = []
    for (rival, n, group), part in _split(_told(rows, "low"), "rival", "n", "group"):
        below = sum(float(row["high"]) < float(row["truth"]) for row in part)
        above = sum(float(row["low"]) > float(row["truth"]) for row in part)
        width = median(float(row["high"]) - float(row["low"]) for row in part)
        held = f"{1 - (below + above) / len(part):.1%}"
        cells = [_count(part), held, f"{below / len(part):.1%}", f"{above / len(part):.1%}", f"{width:.3f}"]
        lines.append([_name(rival), f"{int(n):,}", group, *cells])
    return markdown(header, lines)


def failures(rows: list[Row]) -> str:
    """What could not be measured, and what was said."""
    failed = _split([row for row in rows if row["error"]], "rival", "n", "error")
    return markdown(
        ["rival", "n", "measurements", "message"],
        [
            [_name(rival), f"{int(n):,}", str(len(group)), error.replace("|", "/")]
            for (rival, n, error), group in failed
        ],
    )


def about(rows: list[Row]) -> str:
    """Machine, dates, versions and seeds."""
    machines = _split(rows, "machine", "python")
    lines = [f"- {machine}, Python {python}: {len(group):,} measurements" for (machine, python), group in machines]
    lines += [f"- {text}" for text in sorted({row["versions"] for row in rows})]
    dates = sorted({row["date"] for row in rows})
    return "\n".join([f"Measured {dates[0]} to {dates[-1]}.", "", *lines]) if rows else ""


TABLES: dict[str, Callable[[list[Row]], str]] = {
    "mi-beyond-normal": beyond_normal,
    "mi-lower-sides": lower_sides,
    "mi-other-worlds": other_worlds,
    "mi-staircase": staircase,
    "mi-zero": zero,
    "mi-coverage": coverage,
    "mi-failures": failures,
    "mi-about": about,
}


def _of_groups(rows: list[Row], *groups: str) -> list[Row]:
    return [row for row in rows if (not groups or row["group"] in groups) and not row["error"]]


def _told(rows: list[Row], column: str, *groups: str) -> list[Row]:
    return [row for row in _of_groups(rows, *groups) if row[column] not in ("", None)]


def _split(rows: Iterable[Row], *columns: str) -> list[tuple[tuple[str, ...], list[Row]]]:
    """Rows by the values of these columns, in the order in which they come."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(str(row[column]) for column in columns), []).append(row)
    return list(found.items())


def _error(row: Row, column: str) -> float:
    return float(row[column]) - float(row["truth"])


def _ratio(row: Row) -> float:
    return float(row["nats"]) / float(row["truth"]) if float(row["truth"]) else inf


def _mae(rows: list[Row]) -> str:
    return f"{mean(abs(_error(row, 'nats')) for row in rows):.3f} ({_count(rows)})"


def _count(rows: list[Row]) -> str:
    worlds, seeds = {row["world"] for row in rows}, {row["seed"] for row in rows}
    whole = len(rows) == len(worlds) * len(seeds)
    return f"{len(worlds)} × {len(seeds)}" if whole else f"{len(rows)}"


def _share(events: list[bool]) -> str:
    return f"{sum(events)} of {len(events)}" if events else ""


def _name(rival: str) -> str:
    try:
        return load(rival).name
    except ImportError:
        return rival.replace("_", "-")  # measured in another environment
