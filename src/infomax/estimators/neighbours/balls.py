"""Balls of the maximum norm: how far the k-th neighbour is, and how many points lie within a radius, both exactly.

The distance of two points is the largest |difference| of their coordinates, rounded once as floats are; every way of
computing it here gives the same float, so a point on a boundary is on the same side of it for all of them. On a line
the rounded difference grows along the sorted points, so a ball is a run of them. Elsewhere a tree is asked in its own
order, which keeps the caches warm; where a tree would visit most points anyway, as in high dimension, all distances are
formed, a few rows at a time.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from sklearn.neighbors import KDTree

from infomax.estimators.neighbours.plane import kth_distance_in_plane

LEAF = 20  # points in a leaf of a tree
ROWS, CELLS = 16, 1 << 16  # of distances formed at once, at least: they stay in the cache
GROUP = 16  # distances of which the least stands for all
PROBES = 50  # points that a tree is tried with
WORTH = 0.25  # share of all distances from which forming them all is faster


def kth_distance(points: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    """(m,) distance of each of `rows` to its k-th nearest other point of the (n, d) `points`; n > k."""
    if not points.shape[1]:
        return np.zeros(len(rows))
    if points.shape[1] == 2 and len(rows) == len(points):
        return kth_distance_in_plane(points, k)[rows]
    tree = tree_of(points)
    if tree_pays(tree, k):
        return kth_in_tree(tree, k, rows)
    return np.concatenate([kth_smallest(distances(points, block), k) for block in in_blocks(rows, len(points))])


def kth_in_tree(tree: KDTree, k: int, rows: np.ndarray) -> np.ndarray:
    """`kth_distance` of the tree's own points."""
    points, asked = np.asarray(tree.data), in_order(tree, rows)
    found = np.empty(len(points))
    found[asked] = tree.query(points[asked], k + 1)[0][:, k]  # the first is the point itself
    return found[rows]


def k_nearest(points: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    """(m, k + 1) the k nearest of the (n, d) `points` to each of `rows`, and the row itself (or one equal to it)."""
    tree = tree_of(points)
    if not tree_pays(tree, k):
        blocks = (
            np.argpartition(distances(points, block), k, axis=1)[:, : k + 1] for block in in_blocks(rows, len(points))
        )
        return np.concatenate(list(blocks))
    asked = in_order(tree, rows)
    found = np.empty((len(points), k + 1), np.int64)
    found[asked] = tree.query(points[asked], k + 1)[1]
    return found[rows]


def ball_counts(points: np.ndarray, radius: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(m,) how many of the (n, d) `points` are within `radius` (m,) of each of `rows`: at most so far, itself included.

    A negative radius holds the point itself alone, so the float below a radius asks for "nearer than".
    """
    if not points.shape[1]:
        return np.full(len(rows), len(points))
    if points.shape[1] == 1:
        return np.maximum(_on_a_line(np.sort(points[:, 0]), points[rows, 0], radius), 1)
    tree = tree_of(points)
    everyone = np.empty(len(points))
    everyone[rows] = radius
    asked = in_order(tree, rows)
    found = np.empty(len(points), np.int64)
    found[asked] = tree.query_radius(points[asked], everyone[asked], count_only=True)
    return np.maximum(found[rows], 1)


def tree_of(points: np.ndarray) -> KDTree:
    """A tree of the points in the maximum norm."""
    return KDTree(points, leaf_size=LEAF, metric="chebyshev")


def tree_pays(tree: KDTree, k: int) -> bool:
    """Whether the tree forms few enough distances, asked of a few points, to be faster than forming all of them."""
    points = np.asarray(tree.data)
    some = points[:: max(1, len(points) // PROBES)]
    tree.reset_n_calls()
    tree.query(some, k + 1)
    return tree.get_n_calls() < WORTH * len(some) * len(points)


def below(radius: np.ndarray) -> np.ndarray:
    """The largest floats under `radius`: at most so far is nearer than `radius`."""
    return np.nextafter(radius, -np.inf)


def distances(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(m, n) distances of `rows` to all points."""
    return cdist(points[rows], points, "chebyshev")


def within(distances: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """(m,) how many of each row are at most `radius`."""
    return np.count_nonzero(distances <= radius[:, None], axis=1)


def in_blocks(rows: np.ndarray, n: int) -> list[np.ndarray]:
    """`rows`, as many at a time as have their distances to n points in the cache together."""
    size = max(ROWS, CELLS // n)
    return [rows[i : i + size] for i in range(0, len(rows), size)]


def in_order(tree: KDTree, rows: np.ndarray) -> np.ndarray:
    """`rows` as they lie in the tree's leaves, so that the next one is near."""
    order = np.asarray(tree.idx_array)
    if len(rows) == len(order):
        return order
    asked = np.zeros(len(order), bool)
    asked[rows] = True
    return order[asked[order]]


def kth_smallest(distances: np.ndarray, k: int) -> np.ndarray:
    """(m,) entry k, from 0, of each row in ascending order.

    The k + 1 smallest are in the k + 1 groups with the smallest minima, so only those are searched.
    """
    m, n = distances.shape
    size = n // GROUP
    if size <= k:
        return np.partition(distances, k, axis=1)[:, k]
    grouped = distances[:, : size * GROUP].reshape(m, GROUP, size)
    best = np.argpartition(grouped.min(1), k, axis=1)[:, : k + 1]
    few = grouped[np.arange(m)[:, None], :, best].reshape(m, -1)
    rest = distances[:, size * GROUP :]
    return np.partition(np.concatenate([few, rest], axis=1), k, axis=1)[:, k]


def _on_a_line(line: np.ndarray, centres: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """How many of the sorted `line` are within `radius` of each centre, the differences compared."""
    walled = np.concatenate([[-np.inf], line, [np.inf]])
    bounds = np.concatenate([below(-radius), radius])  # beyond the first a value is inside, beyond the second outside
    ends = _first_beyond(walled, np.concatenate([centres, centres]), bounds)
    return ends[len(centres) :] - ends[: len(centres)]


def _first_beyond(walled: np.ndarray, centres: np.ndarray, bound: np.ndarray) -> np.ndarray:
    """The first position of the line, between walls at either end, whose value - centre is above the bound.

    centre + bound says where that should be, but the sum is rounded: where the values there tell otherwise, one step aside
    mostly mends it (the k-th neighbour itself lies on the boundary), and bisection always.
    """
    ends = centres + bound
    order = np.argsort(ends)  # sorted keys are found three times as fast
    c, b = centres[order], bound[order]
    found = np.searchsorted(walled[1:-1], ends[order], "right")
    early, late = walled[found] - c > b, walled[found + 1] - c <= b
    found += late
    found -= early
    wrong = np.flatnonzero(early | late)
    at, c, b = found[wrong], c[wrong], b[wrong]
    again = (walled[at] - c > b) | (walled[at + 1] - c <= b)
    if again.any():
        found[wrong[again]] = _bisect(walled, c[again], b[again])
    positions = np.empty_like(found)
    positions[order] = found
    return positions


def _bisect(walled: np.ndarray, c: np.ndarray, b: np.ndarray) -> np.ndarray:
    """`_first_beyond` by halving: differences ascend along the line."""
    low, high = np.zeros(len(c), np.int64), np.full(len(c), len(walled) - 1)  # within at low, beyond at high
    while (high - low > 1).any():
        middle = (low + high) // 2
        beyond = walled[middle] - c > b
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return low
