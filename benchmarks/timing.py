"""Interleaved timing: A B C A B C ..., so that a slow moment of the machine meets everyone."""

from __future__ import annotations

import gc
import time

from torch import Tensor

from benchmarks.rival import Rival

SHORTEST = 0.02  # seconds that one measurement takes at least, by repeating the call


def interleaved(
    rivals: list[Rival], objective: str, q: Tensor, k: Tensor, temperature: float, repeats: int, budget: float
) -> dict[str, list[float]]:
    """Seconds of a value with its gradients, by rival, all of which ran before and are warm.

    After `budget` seconds no further round is begun, but three are.
    """
    seconds: dict[str, list[float]] = {rival.name: [] for rival in rivals}
    gc.collect()
    gc.freeze()  # what the libraries made is looked through no more
    calls, began = dict.fromkeys(seconds, 1), time.perf_counter()
    for done in range(repeats):
        if done >= 3 and time.perf_counter() - began > budget:
            break
        for rival in rivals:
            taken = _time(rival, objective, q, k, temperature, calls[rival.name])
            if (
                not done
            ):  # how many calls a measurement takes; where it takes more than one, this one was too short to count
                calls[rival.name] = max(1, round(SHORTEST / taken))
            if done or calls[rival.name] == 1:
                seconds[rival.name].append(taken / calls[rival.name])
    return seconds


def _time(rival: Rival, objective: str, q: Tensor, k: Tensor, temperature: float, calls: int) -> float:
    gc.collect()
    gc.disable()
    start = time.perf_counter()
    for _ in range(calls):
        rival.step(objective, q, k, temperature)
    taken = time.perf_counter() - start
    gc.enable()
    return taken
