"""Two discrete variables seen together, as counts: of each level of x, of each level of y, and of each pair that occurred.

No table of all pairs is made: two columns of 100,000 levels each have 10^10 of them, nearly all empty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from infomax.errors import InputError
from infomax.information.counts import checked_counts


@dataclass(frozen=True)
class Contingency:
    """Counts above zero, of one total.

    Attributes:
        rows: (r,) of the levels of x.
        columns: (c,) of the levels of y.
        cells: (k,) of the pairs, in any order.
    """

    rows: np.ndarray
    columns: np.ndarray
    cells: np.ndarray

    @property
    def n(self) -> int:
        """How many pairs were observed."""
        return int(self.rows.sum())

    @property
    def constant(self) -> bool:
        """Whether a side has one level only, so that nothing can be shared."""
        return min(len(self.rows), len(self.columns)) == 1

    @property
    def function(self) -> bool:
        """Whether each level of one side occurs with one level of the other alone, where both vary."""
        return not self.constant and len(self.cells) == max(len(self.rows), len(self.columns))


def of_table(table: Any) -> Contingency:
    """Of an (r, c) array of counts; rows and columns that hold none are left out.

    Raises:
        InputError: not two axes, or no counts.
    """
    counts = checked_counts(table)
    if counts.ndim != 2:
        raise InputError(f"a contingency table must have two axes, x and y; got shape {counts.shape}.")
    rows, columns, cells = counts.sum(1), counts.sum(0), counts.ravel()
    return Contingency(rows[rows > 0], columns[columns > 0], cells[cells > 0])


def of_pairs(x: np.ndarray, y: np.ndarray) -> tuple[Contingency, np.ndarray]:
    """Of two (n,) columns of codes from 0 on; and (n,) the plug-in log p(x, y) / p(x) p(y) of each pair, in nats."""
    (x, rows), (y, columns) = levels(x), levels(y)
    pair, cells = levels(x * len(columns) + y)
    local = np.log(cells)[pair] + np.log(len(x)) - np.log(rows)[x] - np.log(columns)[y]
    return Contingency(rows, columns, cells), local


def levels(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) which level each code is, counted from 0 without gaps, and how often each level occurs."""
    if codes.max() > 4 * len(codes):
        _, level, counts = np.unique(codes, return_inverse=True, return_counts=True)
        return level.astype(np.int64), counts
    counts = np.bincount(codes)  # without the sort
    occurs = counts > 0
    return (np.cumsum(occurs) - 1)[codes], counts[occurs]
