"""`Sample`: two variables (and perhaps a third, given) observed together, as every estimator takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np


@dataclass(frozen=True)
class Variable:
    """n observations of d columns.

    Attributes:
        values: (n, d) float64, finite; a discrete column holds the codes 0, 1, 2 ... of its levels.
        discrete: (d,) bool, which columns are discrete.
        names: of the columns.
    """

    values: np.ndarray
    discrete: np.ndarray
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def kind(self) -> str:
        """ "discrete" (all columns), "continuous" (all columns) or "mixed"."""
        if self.discrete.all():
            return "discrete"
        return "mixed" if self.discrete.any() else "continuous"

    def codes(self) -> np.ndarray:
        """(n,) int64: one code for each distinct row of the discrete columns."""
        columns = self.values[:, self.discrete].astype(np.int64)
        if columns.shape[1] == 1:
            return np.unique(columns[:, 0], return_inverse=True)[1].reshape(-1)
        return np.unique(columns, axis=0, return_inverse=True)[1].reshape(-1)

    def rows(self, index: np.ndarray) -> Variable:
        """The observations at `index` (positions or a mask)."""
        return replace(self, values=self.values[index])


@dataclass(frozen=True)
class Sample:
    """x and y (and z, what is given) observed together; rows with a missing entry are gone and counted.

    Attributes:
        x, y: the two sides, equally long.
        z: what is conditioned on, or None.
        dropped: reason -> rows left out.
        cautions: (kind, sentence) of what was inferred or looks odd; an estimate passes them on.
    """

    x: Variable
    y: Variable
    z: Variable | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    cautions: tuple[tuple[str, str], ...] = ()

    def __len__(self) -> int:
        return len(self.x)

    def rows(self, index: np.ndarray) -> Sample:
        """The pairs at `index` (positions or a mask)."""
        return replace(
            self, x=self.x.rows(index), y=self.y.rows(index), z=None if self.z is None else self.z.rows(index)
        )

    def with_y(self, index: np.ndarray) -> Sample:
        """Pairs (x_i, y_index_i): permuted, they are chance pairs."""
        return replace(self, y=self.y.rows(index))
