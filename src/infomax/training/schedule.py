"""The learning rate over a run: a linear warm-up, then half a cosine down to zero."""

from __future__ import annotations

from math import cos, pi


def factor(step: int, total: int, warmup: int) -> float:
    """What to multiply the learning rate with at a 0-based step.

    Args:
        step: steps taken so far.
        total: steps of the whole run.
        warmup: steps of the linear rise; the first step of all already moves.

    >>> [round(factor(step, 6, 2), 3) for step in range(7)]
    [0.5, 1.0, 1.0, 0.854, 0.5, 0.146, 0.0]
    """
    if step < warmup:
        return (step + 1) / warmup
    if step >= total:
        return 0.0
    return 0.5 * (1.0 + cos(pi * (step - warmup) / (total - warmup)))
