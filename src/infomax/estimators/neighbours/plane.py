"""The k-th neighbour of every point of a plane, by sorting alone: no tree but for the few points that ask for one.

The points are cut into strips of equal counts along x, each strip sorted along y. Around a point, the `REACH` + k nearest
in y on either side, of its own strip and of the two beside it, are its candidates. Their k-th distance is the true one
where nothing that was left out can be nearer: next in y in the three strips, or beyond them in x. Seven points in eight
pass that test; the others are looked up in a tree. All of it runs on whole arrays, and every distance is exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import as_strided
from scipy.spatial import cKDTree

REACH = 2
WIDTH = 0.8  # of a strip, over twice the usual distance to the k-th neighbour
AT_ONCE = 3072  # points whose candidates are in the cache together
LARGEST_K = 16  # beyond, the candidates are too many


@dataclass(frozen=True)
class Strips:
    """m strips of w points; the last one is filled up with points at infinity.

    Attributes:
        rows: (m, w) which point stands there; n for none.
        x, y: (m, w) its coordinates, y ascending.
        above, below: (m, w) how many of the next and of the previous strip come before it in y.
    """

    rows: np.ndarray
    x: np.ndarray
    y: np.ndarray
    above: np.ndarray
    below: np.ndarray

    @classmethod
    def cut(cls, points: np.ndarray, w: int) -> Strips:
        n = len(points)
        m = -(-n // w)
        rows = np.full((m, w), n)
        rows.ravel()[:n] = np.argsort(points[:, 0])
        x, y = np.append(points[:, 0], np.inf), np.append(points[:, 1], np.inf)
        rows = rows[np.arange(m)[:, None], np.argsort(y[rows], axis=1)]
        y = y[rows]
        return cls(rows, x[rows], y, *_ranks(y))


def kth_distance_in_plane(points: np.ndarray, k: int) -> np.ndarray:
    """(n,) distance of each of the (n, 2) points to its k-th nearest other one, in the maximum norm; n > k."""
    n, reach = len(points), k + REACH
    w = max(int(WIDTH * _spread(points) * np.sqrt(n * (k + 1))), 2 * reach)
    if k > LARGEST_K or n < 4 * w:
        tree = _tree(points)
        radius = np.empty(n)
        radius[tree.indices] = _ask(tree, points[tree.indices], k)  # in its own order: the caches stay warm
        return radius
    strips = Strips.cut(points, w)
    radius, sure = np.empty(n + 1), np.zeros(n + 1, bool)
    radius[strips.rows], sure[strips.rows] = _in_strips(strips, k, reach)
    order = strips.rows[strips.rows < n]
    doubtful = order[~sure[order]]
    if len(doubtful):
        radius[doubtful] = _ask(_tree(points.take(order, axis=0)), points[doubtful], k)
    return radius[:n]


def _tree(points: np.ndarray) -> cKDTree:
    return cKDTree(points, compact_nodes=False, balanced_tree=False)


def _ask(tree: cKDTree, centres: np.ndarray, k: int) -> np.ndarray:
    return tree.query(centres, [k + 1], p=np.inf)[0][:, 0]  # the first is the point itself


def _spread(points: np.ndarray) -> float:
    """How much nearer neighbours are than in an independent sample, were it Gaussian: (1 - correlation²)^¼, about."""
    some = points[:: max(1, len(points) // 1000)].T.copy()
    centred = some - some.mean(1, keepdims=True)
    (xx, xy), (_, yy) = centred @ centred.T
    return float((1 - xy * xy / (xx * yy)) ** 0.25) if xx * yy > xy * xy else 0.0


def _ranks(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(m, w) how many of the next and of the previous row come before each; 0 where there is no such row."""
    w = y.shape[1]
    order = np.argsort(np.concatenate([y[:-1], y[1:]], axis=1), axis=1, kind="stable")  # merges what is sorted already
    rank = np.empty_like(order)
    rank[np.arange(len(order))[:, None], order] = np.arange(2 * w)
    above, below = np.zeros(y.shape, np.int64), np.zeros(y.shape, np.int64)
    above[:-1] = rank[:, :w] - np.arange(w)
    below[1:] = rank[:, w:] - np.arange(w)
    return above, below


def _in_strips(strips: Strips, k: int, reach: int) -> tuple[np.ndarray, np.ndarray]:
    """(m, w) k-th distance among the candidates, and whether it is the true one."""
    m, w = strips.x.shape
    x, y = (_walled(side, reach + 1) for side in (strips.x, strips.y))
    length = x.shape[1]
    left = np.concatenate([[-np.inf, -np.inf], strips.x.max(1)])[:m, None]
    right = np.concatenate([strips.x.min(1)[2:], [np.inf, np.inf]])[:, None]
    radius, sure = np.empty((m, w)), np.empty((m, w), bool)
    step = max(1, AT_ONCE // w)
    with np.errstate(invalid="ignore"):  # between points at infinity
        for i in range(0, m, step):
            some, around = slice(i, i + step), slice(i, i + step + 2)
            runs = _runs(x[around].ravel()[1:], 2 * reach), _runs(y[around].ravel(), 2 * reach + 2)
            here, there = strips.x[some], strips.y[some]
            starts = (np.arange(len(here))[:, None] + 1) * length
            positions = (
                starts + np.arange(w),
                starts + length + strips.above[some],
                starts - length + strips.below[some],
            )
            nearest = np.empty((*here.shape, 3, 2 * reach))
            margins = [_candidates(*runs, here, there, at, nearest[:, :, j]) for j, at in enumerate(positions)]
            nearest = nearest.reshape(*here.shape, -1)
            nearest.sort(axis=2)  # so few numbers are sorted at least as fast as parted
            radius[some] = nearest[:, :, k]
            margin = np.minimum.reduce([*margins, here - left[some], right[some] - here])
            sure[some] = radius[some] <= margin
    return radius, sure


def _candidates(
    x: np.ndarray, y: np.ndarray, here: np.ndarray, there: np.ndarray, at: np.ndarray, out: np.ndarray
) -> np.ndarray:
    """Distances of the points (here, there) to the run at `at`, into `out`; how far in y the ones beside the run are."""
    dy = y.take(at, axis=0)
    dy -= there[..., None]
    np.abs(dy, out=dy)
    dx = x.take(at, axis=0)
    dx -= here[..., None]
    np.abs(dx, out=dx)
    np.maximum(dx, dy[..., 1:-1], out=out)
    return np.minimum(dy[..., 0], dy[..., -1])


def _runs(line: np.ndarray, length: int) -> np.ndarray:
    """All runs of this length, a row each: rows are taken several times as fast as windows of the line are."""
    return np.ascontiguousarray(as_strided(line, (len(line) - length + 1, length), line.strides * 2, writeable=False))


def _walled(side: np.ndarray, thickness: int) -> np.ndarray:
    """Infinity all around: an empty strip before and after, and `thickness` columns on either side."""
    m, w = side.shape
    walled = np.full((m + 2, w + 2 * thickness), np.inf)
    walled[1:-1, thickness:-thickness] = side
    return walled
