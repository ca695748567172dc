"""Around each pair the ball that reaches its k-th neighbour, and how many points each projection of the ball holds.

That is all a nearest-neighbour estimate needs: with t_i points in the joint ball and n_S,i in its projection on the
columns S, the terms are ψ(t_i) plus or minus ψ(n_S,i). Points with different levels of a discrete column are infinitely
far apart, so discrete columns cut the sample into cells, and neighbours are looked for within a cell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import digamma

from infomax.estimators.neighbours.balls import (
    ball_counts,
    below,
    distances,
    in_blocks,
    kth_distance,
    kth_in_tree,
    kth_smallest,
    tree_of,
    tree_pays,
    within,
)

Where = np.ndarray | slice


@dataclass(frozen=True)
class Part:
    """The scaled continuous columns of x, y or z, (n, d), and the codes of its discrete ones, (n, c)."""

    continuous: np.ndarray
    codes: np.ndarray

    def cells(self) -> np.ndarray | None:
        """(n,) which cell each row is in; None where all are in one."""
        if not self.codes.shape[1]:
            return None
        return np.unique(self.codes, axis=0, return_inverse=True)[1].reshape(-1)

    def sizes(self) -> np.ndarray:
        """(n,) how many rows share each row's cell."""
        cells, n = self.cells(), len(self.codes)
        return np.full(n, n) if cells is None else np.bincount(cells)[cells]

    def rows(self, index: np.ndarray) -> Part:
        """The rows at `index`."""
        return Part(self.continuous[index], self.codes[index])


@dataclass(frozen=True)
class Neighbourhoods:
    """Balls around m rows.

    Attributes:
        radius: (m,) distance to the k-th neighbour.
        inside: (m,) t: k, or all points of the closed ball, the row itself included, where it has ties.
        counts: for each projection, (m,) points nearer than the radius, the row itself included; where the ball has
            ties, those on the boundary too.
    """

    radius: np.ndarray
    inside: np.ndarray
    counts: tuple[np.ndarray, ...]


def joined(parts: Sequence[Part]) -> Part:
    """Several parts as one."""
    if len(parts) == 1:
        return parts[0]
    return Part(np.column_stack([part.continuous for part in parts]), np.column_stack([part.codes for part in parts]))


def neighbourhoods(
    parts: Sequence[Part], projections: Sequence[Sequence[int]], k: int, rows: np.ndarray, *, ties: bool = False
) -> Neighbourhoods:
    """The balls around `rows`, and the counts in each projection, given as the parts that it keeps.

    In a cell of at most k points, k is the number of the others. With `ties`, a ball that has several points at the
    k-th distance, or radius 0, is counted with its boundary.
    """
    whole = joined(parts)
    if not whole.codes.shape[1] and not ties and whole.continuous.shape[1] > 2:
        tree = tree_of(whole.continuous)
        if not tree_pays(tree, k):
            return _all_distances(parts, projections, k, rows)
        radius, inside, tied = kth_in_tree(tree, k, rows), np.full(len(rows), k), np.zeros(len(rows), bool)
    else:
        radius, inside, tied = _joint(whole, k, rows, ties)
    reach = np.where(tied, radius, below(radius))
    counts = (_counts(joined([parts[j] for j in projection]), reach, rows) for projection in projections)
    return Neighbourhoods(radius, inside, tuple(counts))


def psi(counts: np.ndarray) -> np.ndarray:
    """ψ of positive whole numbers."""
    return digamma(np.arange(counts.max(initial=0) + 1, dtype=float))[counts]


def _joint(whole: Part, k: int, rows: np.ndarray, ties: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(m,) radius, points inside, and whether the ball has ties."""
    radius, inside, tied = np.zeros(len(rows)), np.empty(len(rows), np.int64), np.zeros(len(rows), bool)
    for members, asked, where in _by_cell(whole, rows):
        points = whole.continuous[members]
        nearest = min(k, len(points) - 1)
        radius[where] = kth_distance(points, nearest, asked)
        inside[where] = nearest
        if ties:
            closed = ball_counts(points, radius[where], asked)
            tied[where] = (closed - 1 > nearest) | (radius[where] == 0)
            inside[where] = np.where(tied[where], closed, nearest)
    return radius, inside, tied


def _counts(part: Part, reach: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(m,) points of the row's own cell within reach."""
    if not part.continuous.shape[1]:
        return part.sizes()[rows]
    counts = np.empty(len(rows), np.int64)
    for members, asked, where in _by_cell(part, rows):
        counts[where] = ball_counts(part.continuous[members], reach[where], asked)
    return counts


def _by_cell(part: Part, rows: np.ndarray) -> Iterator[tuple[Where, np.ndarray, Where]]:
    """For each cell: its members, which of them are among `rows`, and where those stand in `rows`."""
    cells = part.cells()
    if cells is None:
        yield slice(None), rows, slice(None)
        return
    place = np.full(len(cells), -1)
    place[rows] = np.arange(len(rows))
    order = np.argsort(cells, kind="stable")
    for members in np.split(order, np.cumsum(np.bincount(cells))[:-1]):
        asked = np.flatnonzero(place[members] >= 0)
        if len(asked):
            yield members, asked, place[members[asked]]


def _all_distances(
    parts: Sequence[Part], projections: Sequence[Sequence[int]], k: int, rows: np.ndarray
) -> Neighbourhoods:
    """A few rows at a time: each distance formed once, for the joint ball and its projections."""
    radii, counts = [], []
    for block in in_blocks(rows, len(parts[0].continuous)):
        apart = [distances(part.continuous, block) for part in parts]
        radius = kth_smallest(np.maximum.reduce(apart), k)
        reach = below(radius)
        kept = (np.maximum.reduce([apart[j] for j in projection]) for projection in projections)
        counts.append([np.maximum(within(distance, reach), 1) for distance in kept])
        radii.append(radius)
    together = tuple(np.concatenate(one) for one in zip(*counts, strict=True))
    return Neighbourhoods(np.concatenate(radii), np.full(len(rows), k), together)
