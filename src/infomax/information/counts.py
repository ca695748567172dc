"""Counts of symbols: what may be called counts, and the numbers that entropy estimators take from them."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np

from infomax.errors import InputError
from infomax.information.distributions import is_tensor

MOST = 2**53  # beyond, floats do not know whole numbers


def checked_counts(counts: Any) -> np.ndarray:
    """`counts` as int64, of the shape they came in: whole, not negative, not all zero.

    Raises:
        InputError: anything else; probabilities and weights are not counts.
    """
    if np.ma.is_masked(counts):
        raise InputError("counts have masked entries: fill them, or leave them out.")
    try:
        found = np.asarray(counts.detach().cpu() if is_tensor(counts) else counts)
    except ValueError:
        raise InputError("counts must be one array of whole numbers; got lists of different lengths.") from None
    if found.dtype.kind not in "iufb":
        raise InputError(f"counts must be whole numbers; got dtype {found.dtype}: count the symbols first.")
    if not found.ndim or not found.size:
        raise InputError(f"counts must hold at least one number; got shape {found.shape}.")
    if not np.isfinite(found).all() or (found != np.floor(found)).any():
        raise InputError(
            "counts must be finite whole numbers; got others among them: for probabilities use `entropy`, and weights"
            " are no counts."
        )
    if (found > MOST).any():
        raise InputError(f"counts must be at most {MOST:,}; the largest is {found.max():g}.")
    if (found < 0).any():
        raise InputError(f"counts must not be negative; the least is {found.min():g}.")
    if found.sum(dtype=np.float64) > MOST:
        raise InputError(f"counts must be at most {MOST:,} together; got {found.sum(dtype=np.float64):.4g}.")
    whole = found.astype(np.int64)
    if not whole.any():
        raise InputError("all counts are zero: there is nothing to estimate from.")
    return whole


def occupied(counts: Any) -> np.ndarray:
    """(K,) the counts above zero, flat: an entropy does not see which symbol is which."""
    checked = checked_counts(counts).ravel()
    return checked[checked > 0]


def alphabet_size(counts: np.ndarray, alphabet: Any) -> int:
    """The number of possible symbols: `alphabet` where it is known, else those seen.

    Raises:
        InputError: an alphabet smaller than what was seen.
    """
    if alphabet is None:
        return len(counts)
    if not isinstance(alphabet, Integral) or alphabet < len(counts):
        raise InputError(
            f"alphabet must be a whole number, at least the {len(counts)} symbols that were seen; got {alphabet!r}."
        )
    return int(alphabet)


def singletons_and_doubletons(counts: np.ndarray) -> tuple[int, int]:
    """How many symbols were seen once, and how many twice."""
    return int((counts == 1).sum()), int((counts == 2).sum())
