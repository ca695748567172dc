"""The definitions, point by point, in plain loops over all pairs: what every fast path must equal."""

from __future__ import annotations

import numpy as np
from scipy.special import digamma

from infomax.data.samples import Sample, Variable


def variable(values: object, *, discrete: bool | list[bool] = False, name: str = "v") -> Variable:
    values = np.asarray(values, dtype=float)
    values = values[:, None] if values.ndim == 1 else values
    kinds = np.broadcast_to(np.asarray(discrete), (values.shape[1],)).copy()
    return Variable(values, kinds, tuple(f"{name}{j}" for j in range(values.shape[1])))


def pairs(x: object, y: object, z: object = None, **discrete: bool | list[bool]) -> Sample:
    """A sample; `dx`, `dy`, `dz` say which columns are discrete."""
    sides = {"x": x, "y": y} | ({} if z is None else {"z": z})
    return Sample(**{k: variable(v, discrete=discrete.get(f"d{k}", False), name=k) for k, v in sides.items()})


def distances(side: Variable) -> np.ndarray:
    """(n, n) largest |difference| of a column; infinite where a discrete column differs."""
    apart = np.abs(side.values[:, None] - side.values[None])
    apart = np.where(side.discrete & (apart > 0), np.inf, np.where(side.discrete, 0.0, apart))
    return apart.max(2)


def others(row: np.ndarray, i: int) -> np.ndarray:
    return np.delete(row, i)


def ksg1(sample: Sample, k: int) -> np.ndarray:
    """Kraskov et al. 2004, equation 8; given z, Frenzel & Pompe 2007, equation 5. One term a pair."""
    n = len(sample)
    dx, dy = distances(sample.x), distances(sample.y)
    dz = np.zeros((n, n)) if sample.z is None else distances(sample.z)
    terms = []
    for i in range(n):
        x, y, z = (others(d[i], i) for d in (dx, dy, dz))
        radius = np.sort(np.maximum(np.maximum(x, y), z))[k - 1]
        inside = z < radius
        n_xz, n_yz = np.sum((x < radius) & inside), np.sum((y < radius) & inside)
        n_z = n - 1 if sample.z is None else np.sum(inside)
        terms.append(digamma(k) + digamma(n_z + 1) - digamma(n_xz + 1) - digamma(n_yz + 1))
    return np.array(terms)


def ksg2(sample: Sample, k: int) -> np.ndarray:
    """Kraskov et al. 2004, equation 9."""
    n = len(sample)
    dx, dy = distances(sample.x), distances(sample.y)
    terms = []
    for i in range(n):
        x, y = others(dx[i], i), others(dy[i], i)
        nearest = np.argsort(np.maximum(x, y), kind="stable")[:k]
        n_x, n_y = np.sum(x <= x[nearest].max()), np.sum(y <= y[nearest].max())
        terms.append(digamma(k) - 1 / k + digamma(n) - digamma(n_x) - digamma(n_y))
    return np.array(terms)


def ross(label: np.ndarray, y: np.ndarray, k: int) -> np.ndarray:
    """Ross 2014, equation 4, for labels that occur more than once; m counts the neighbour that sets the radius."""
    n = len(label)
    apart = np.abs(y[:, None] - y[None])
    terms = []
    for i in range(n):
        same = label == label[i]
        own = min(k, np.sum(same) - 1)
        same[i] = False
        radius = np.sort(apart[i, same])[own - 1]
        m = np.sum(others(apart[i], i) < radius) + 1
        terms.append(digamma(n) - digamma(np.sum(same) + 1) + digamma(own) - digamma(m))
    return np.array(terms)


def mixed(sample: Sample, k: int) -> np.ndarray:
    """Gao et al. 2017, algorithm 1, and Mesner & Shalizi 2019, algorithm 1, as the module of MixedKSG states them."""
    n = len(sample)
    dx, dy = distances(sample.x), distances(sample.y)
    dz = np.zeros((n, n)) if sample.z is None else distances(sample.z)
    terms = []
    for i in range(n):
        joint = np.maximum(np.maximum(dx[i], dy[i]), dz[i])
        own = min(k, int(np.sum(np.isfinite(joint))) - 1)
        radius = np.sort(others(joint, i))[own - 1] if own else 0.0
        closed = int(np.sum(joint <= radius))
        tied = radius == 0 or closed - 1 > own

        def count(*sides: np.ndarray, radius: float = radius, tied: bool = tied, i: int = i) -> int:
            far = np.maximum.reduce([side[i] for side in sides])
            return int(np.sum(far <= radius)) if tied else int(np.sum(others(far, i) < radius)) + 1

        t = closed if tied else own
        n_z = n if sample.z is None else count(dz)
        terms.append(digamma(t) + digamma(n_z) - digamma(count(dx, dz)) - digamma(count(dy, dz)))
    return np.array(terms)
