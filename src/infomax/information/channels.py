"""Channels: matrices p(y | x), one row an input; what passes through them, and how much can at most.

The capacity is the largest mutual information over all laws of the input (Shannon 1948).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log, log1p
from numbers import Real
from typing import Any

import numpy as np
from scipy.special import entr

from infomax.errors import InputError
from infomax.information.distributions import conditional, distribution, is_tensor, together, x_log_y


def binary_symmetric_channel(error: Any) -> np.ndarray:
    """(2, 2) a bit that is flipped with probability `error`."""
    _probability(error, "error")
    return np.array([[1 - error, error], [error, 1 - error]])


def binary_erasure_channel(erasure: Any) -> np.ndarray:
    """(2, 3) a bit that is lost, and known to be, with probability `erasure`: outputs 0, 1 and lost."""
    _probability(erasure, "erasure")
    return np.array([[1 - erasure, 0, erasure], [0, 1 - erasure, erasure]])


def z_channel(error: Any) -> np.ndarray:
    """(2, 2) 0 arrives as it is, 1 arrives as 0 with probability `error`."""
    _probability(error, "error")
    return np.array([[1.0, 0.0], [error, 1 - error]])


def binary_symmetric_capacity(error: Any) -> float:
    """log 2 - h(error) in nats, h the entropy of a bit.

    >>> binary_symmetric_capacity(0.5)
    0.0
    """
    _probability(error, "error")
    return log(2) - float(entr(error) + entr(1 - error))


def binary_erasure_capacity(erasure: Any) -> float:
    """(1 - erasure) log 2 in nats."""
    _probability(erasure, "erasure")
    return (1 - erasure) * log(2)


def z_capacity(error: Any) -> float:
    """log(1 + e^(-h(e) / (1 - e))) in nats, h the entropy of a bit: reached by sending 1 less than half of the time.

    >>> round(z_capacity(0.5) / log(2), 4)  # log2 5 - 2 bits
    0.3219
    """
    _probability(error, "error")
    if error == 1:
        return 0.0
    return log1p(exp(-float(entr(error) + entr(1 - error)) / (1 - error)))


def joint_through(p: Any, channel: Any) -> Any:
    """The joint table (r, c) of an input law p (r,) and the output of a channel (r, c).

    Raises:
        InputError: no distribution, or a channel whose rows are none.

    >>> joint_through([0.5, 0.5], binary_symmetric_channel(0.0)).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    p, rows = together(distribution(p, "p", axes=1), conditional(channel, "channel"))
    if len(p) != len(rows):
        raise InputError(f"p must have one probability for each of the {len(rows)} inputs; got {len(p)}.")
    return p[:, None] * rows


@dataclass(frozen=True)
class Capacity:
    """The capacity of a channel, between two limits.

    Attributes:
        nats: the mutual information that `input` reaches: the capacity is at least this,
        gap: and at most this much more.
        input: (r,) law of the input.
    """

    nats: float
    gap: float
    input: np.ndarray


def channel_capacity(channel: Any, *, tolerance: float = 1e-9, iterations: Any = 100_000) -> Capacity:
    """The most that passes through a channel, by Blahut and Arimoto's iteration (both 1972).

    Each step multiplies the input law by e^D(row || output): inputs that stand out are sent more often. The largest D is an
    upper limit on the capacity, the mean D a lower one; it stops when they are within `tolerance` nats.

    Args:
        channel: (r, c), each row p(y | x) of an input.
        tolerance: in nats.
        iterations: at most so many; `gap` says how far they came.

    Raises:
        InputError: a channel whose rows are no distributions.

    >>> found = channel_capacity(binary_symmetric_channel(0.11))
    >>> round(found.nats / log(2), 4), found.gap < 1e-9
    (0.5001, True)
    """
    if not isinstance(iterations, int) or iterations < 1:
        raise InputError(f"iterations must be a whole number of at least 1; got {iterations!r}.")
    rows = conditional(channel, "channel")
    rows = rows.detach().cpu().double().numpy() if is_tensor(rows) else rows
    own = x_log_y(rows, rows).sum(1)
    p = np.full(len(rows), 1 / len(rows))
    for step in range(iterations):
        divergence = own - x_log_y(rows, (p @ rows)[None, :]).sum(1)
        low, high = float(p @ divergence), float(divergence.max())
        if high - low <= tolerance or step == iterations - 1:
            break
        p = p * np.exp(divergence - high)
        p /= p.sum()
    return Capacity(low, high - low, p)


def _probability(value: Any, name: str) -> None:
    if not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise InputError(f"{name} must be a probability between 0 and 1; got {value!r}.")
