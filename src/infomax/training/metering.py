"""What a piece of work costs: seconds, and the most memory that is held while it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import torch

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


@dataclass(frozen=True)
class Cost:
    """Of work on `rows` rows: seconds by the meter's clock, and the most bytes that were held meanwhile, by the work or not.

    `peak` is None where the system does not tell.
    """

    rows: int
    seconds: float
    peak: int | None


class Meter:
    """Measures on one device, by one clock.

    Args:
        device: of CUDA, memory is the device's; else the process's.
        clock: seconds since whenever.
    """

    def __init__(self, device: torch.device, clock: Callable[[], float]) -> None:
        self.cuda, self.clock = device.type == "cuda", clock

    def __call__(self, rows: int, work: Callable[[], Any], *, again: float = 0.0) -> Cost:
        """The median of up to 3 repeats, if these take no longer than `again` seconds together; else the first time."""
        self._forget()
        first = self._timed(work)
        repeats = [self._timed(work) for _ in range(min(3, int(again / max(first, 1e-6))))]
        return Cost(rows, median(repeats or [first]), self._peak())

    def ladder(self, rows: int, work: Callable[[int], Any], *, seconds: float, first: int = 64) -> list[Cost]:
        """Costs at twice as many rows each time, to the end of `rows` or of `seconds`, but at two sizes if there are two."""
        costs: list[Cost] = []
        start, size = self.clock(), min(first, rows)
        while True:
            costs.append(self(size, partial(work, size), again=seconds / 8))
            too_long = self.clock() - start + 4 * costs[-1].seconds > seconds
            if size == rows or (len(costs) > 1 and too_long):
                return costs
            size = min(2 * size, rows)

    def held(self) -> int | None:
        """Bytes held now."""
        return torch.cuda.memory_allocated() if self.cuda else _status("VmRSS")

    def _peak(self) -> int | None:
        return torch.cuda.max_memory_allocated() if self.cuda else _status("VmHWM")

    def _forget(self) -> None:
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()
        elif _RESET.exists():
            _RESET.write_text("5")  # the peak starts anew

    def _timed(self, work: Callable[[], Any]) -> float:
        start = self.clock()
        work()
        if self.cuda:
            torch.cuda.synchronize()
        return self.clock() - start


def line(costs: list[Cost], rows: int, of: Callable[[Cost], float]) -> float:
    """What the last two of the costs say of `rows`, as if it grew in proportion from there; no less than the last says.

    >>> line([Cost(10, 1.5, None), Cost(20, 2.5, None)], 40, lambda cost: cost.seconds)
    4.5
    """
    last = costs[-1]
    if rows == last.rows:
        return of(last)
    if len(costs) == 1:
        return of(last) * rows / last.rows
    slope = (of(last) - of(costs[-2])) / (last.rows - costs[-2].rows)
    return of(last) + max(0.0, slope) * (rows - last.rows)


def square(costs: list[Cost], rows: int) -> float:
    """Seconds at `rows`: as measured there, or as the last two of the costs say, if they are a·n + b·n².

    >>> square([Cost(10, 3.0, None), Cost(20, 10.0, None)], 40)  # 0.1 n + 0.02 n²
    36.0
    """
    measured = {cost.rows: cost.seconds for cost in costs}
    last = costs[-1]
    if rows in measured or len(costs) == 1:
        return measured.get(rows, last.seconds * (rows / last.rows) ** 2)
    n, m, before = last.rows, costs[-2].rows, costs[-2].seconds
    b = (last.seconds / n - before / m) / (n - m)
    b = min(max(b, 0.0), last.seconds / n**2)  # neither term is below 0
    return last.seconds + b * (rows**2 - n**2) + (last.seconds / n - b * n) * (rows - n)


def _status(field: str) -> int | None:
    """Bytes, from /proc/self/status."""
    if not (_STATUS.exists() and _RESET.exists()):
        return None
    lines = _STATUS.read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))
