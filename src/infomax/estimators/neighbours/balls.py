"""Balls of the maximum norm: how far the k-th neighbour is, and how many points lie within a radius, both exactly.

The distance of two points is the largest |difference| of their coordinates, rounded once as floats are; every way of
computing it here gives the same float, so a point on a boundary is on the same side of it for all of them. Lines are
sorted (the rounded difference grows along a sorted line, so a ball is a run); planes up to `TREE_DIMENSIONS` go into a
tree that is asked in its own order, which keeps the caches warm; beyond that all distances are formed, 16 rows at a time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree
from scipy.spatial.distance import cdist

TREE_DIMENSIONS = 12  # beyond, a tree visits nearly every point
ROWS = 16  # of distances formed at once: they stay in the cache


def kth_distance(points: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    """(m,) distance of each of `rows` to its k-th nearest other point of the (n, d) `points`; n > k."""
    if not points.shape[1]:
        return np.zeros(len(rows))
    if points.shape[1] > TREE_DIMENSIONS:
        blocks = [np.partition(distances(points, block), k, axis=1)[:, k] for block in in_blocks(rows)]
        return np.concatenate(blocks)
    tree = cKDTree(points)
    found = np.empty(len(points))
    asked = in_order(tree, rows)
    found[asked] = tree.query(points[asked], [k + 1], p=np.inf)[0][:, 0]  # the first is the point itself
    return found[rows]


def k_nearest(points: np.ndarray, k: int, rows: np.ndarray) -> np.ndarray:
    """(m, k + 1) the k nearest of the (n, d) `points` to each of `rows`, and the row itself (or one equal to it)."""
    if points.shape[1] > TREE_DIMENSIONS:
        return np.concatenate(
            [np.argpartition(distances(points, block), k, axis=1)[:, : k + 1] for block in in_blocks(rows)]
        )
    tree = cKDTree(points)
    found = np.empty((len(points), k + 1), np.int64)
    asked = in_order(tree, rows)
    found[asked] = tree.query(points[asked], k + 1, p=np.inf)[1]
    return found[rows]


def ball_counts(points: np.ndarray, radius: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(m,) how many of the (n, d) `points` are within `radius` (m,) of each of `rows`: at most so far, itself included.

    A negative radius holds the point itself alone, so the float below a radius asks for "nearer than".
    """
    if not points.shape[1]:
        return np.full(len(rows), len(points))
    if points.shape[1] == 1:
        return np.maximum(_on_a_line(np.sort(points[:, 0]), points[rows, 0], radius), 1)
    if points.shape[1] > TREE_DIMENSIONS:
        starts = range(0, len(rows), ROWS)
        counts = [within(distances(points, rows[i : i + ROWS]), radius[i : i + ROWS]) for i in starts]
        return np.maximum(np.concatenate(counts), 1)
    tree = cKDTree(points)
    everyone = np.empty(len(points))
    everyone[rows] = radius
    asked = in_order(tree, rows)
    found = np.empty(len(points), np.int64)
    found[asked] = tree.query_ball_point(points[asked], everyone[asked], p=np.inf, return_length=True)
    return np.maximum(found[rows], 1)


def below(radius: np.ndarray) -> np.ndarray:
    """The largest floats under `radius`: at most so far is nearer than `radius`."""
    return np.nextafter(radius, -np.inf)


def distances(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """(m, n) distances of `rows` to all points."""
    return cdist(points[rows], points, "chebyshev")


def within(distances: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """(m,) how many of each row are at most `radius`."""
    return np.count_nonzero(distances <= radius[:, None], axis=1)


def in_blocks(rows: np.ndarray) -> list[np.ndarray]:
    """`rows`, a few at a time."""
    return [rows[i : i + ROWS] for i in range(0, len(rows), ROWS)]


def in_order(tree: Any, rows: np.ndarray) -> np.ndarray:
    """`rows` as they lie in the tree's leaves: neighbours one after the other."""
    if len(rows) == tree.n:
        return tree.indices
    asked = np.zeros(tree.n, bool)
    asked[rows] = True
    return tree.indices[asked[tree.indices]]


def _on_a_line(line: np.ndarray, centres: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """How many of the sorted `line` are within `radius` of each centre, the differences compared."""
    first = _first(line, np.searchsorted(line, centres - radius), lambda s, i: centres[i] - s <= radius[i])
    after = np.searchsorted(line, centres + radius, "right")
    return _first(line, after, lambda s, i: s - centres[i] > radius[i]) - first


def _first(line: np.ndarray, guess: np.ndarray, holds: Any) -> np.ndarray:
    """The first position of `line` where `holds(values, which centres)`; the sum that guessed it may have been rounded."""
    n, everyone = len(line), slice(None)
    early = (guess > 0) & holds(line[np.maximum(guess - 1, 0)], everyone)
    late = (guess < n) & ~holds(line[np.minimum(guess, n - 1)], everyone)
    wrong = np.flatnonzero(early | late)
    if len(wrong):
        guess[wrong] = _bisect(line, wrong, holds)
    return guess


def _bisect(line: np.ndarray, wrong: np.ndarray, holds: Any) -> np.ndarray:
    low, high = np.zeros(len(wrong), np.int64), np.full(len(wrong), len(line))
    while (low < high).any():
        middle = (low + high) // 2
        found = holds(line[np.minimum(middle, len(line) - 1)], wrong) | (low >= high)
        high = np.where(found, np.minimum(middle, high), high)
        low = np.where(found, low, middle + 1)
    return low
