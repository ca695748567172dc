"""Which rows are in which batch: a pure function of seed and epoch, so that a resumed run needs no saved generator.

An epoch of n rows is cut into ceil(n / batch_size) batches of nearly equal size rather than full ones and a small rest:
a batch's size sets how hard its task is (its ceiling is the log of it), so a small last batch would be a noisy step.
"""

from __future__ import annotations

import numpy as np


def steps_per_epoch(n: int, batch_size: int) -> int:
    """How many batches n rows make, before any is dropped."""
    return -(-n // batch_size)


def epoch_batches(ids: np.ndarray, batch_size: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Shuffled row numbers, one array a batch.

    A batch in which all rows share one id (one row alone, for instance) has no negatives and is left out.

    Args:
        ids: (n,) ids of the rows.
        batch_size: the most rows a batch.
        seed, epoch: what the order depends on.
    """
    order = np.random.default_rng([seed, epoch]).permutation(len(ids))
    batches = np.array_split(order, steps_per_epoch(len(ids), batch_size))
    return [rows for rows in batches if (ids[rows] != ids[rows[0]]).any()]


def mean_log_candidates(ids: np.ndarray) -> float:
    """Ceiling (nats) of a batch with these (b,) ids: mean log of the candidates that each row is compared with."""
    _, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
    return float(np.log(len(ids) - counts[inverse] + 1).mean())
