"""Canonical pairs: the directions of x and y that correlate most, and what they say in nats.

Jointly Gaussian x and y are, up to linear maps of each side, min(d_x, d_y) independent pairs (u_i, v_i) of correlation
ρ_i (Hotelling 1936), so I = -½ Σ log(1 - ρ_i²) and the log density ratio of a pair is

    Σ_i -½ log(1 - ρ_i²) + (2 ρ_i u_i v_i - ρ_i² (u_i² + v_i²)) / (2 (1 - ρ_i²)).

Sample correlations are too large. Under independence the largest has a known law (Johnstone 2008), whose bulk ends at
Wachter's edge; above it a sample correlation estimates ρ with a known bias, which `unbiased` takes away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

TRACY_WIDOM_95 = 0.9793  # 95 % quantile of the Tracy-Widom law of order 1
DETERMINISTIC = 1e-13  # 1 - ρ² below this is rounding
LARGEST_RHO = 1 - 1e-9  # of a score: keeps it finite in single precision


@dataclass(frozen=True)
class CanonicalPairs:
    """Linear maps of each side to its canonical variates, fitted on n rows.

    Attributes:
        x_mean, y_mean: (d_x,) and (d_y,).
        x_map, y_map: (d_x, r) and (d_y, r); the variates of the rows fitted on have mean 0 and second moment 1.
        rho: (r,) sample correlations in descending order, r = min(x_rank, y_rank).
        x_rank, y_rank: of the centred columns.
        n: degrees of freedom: rows, less one for the mean and one for each direction that was conditioned on.
    """

    x_mean: np.ndarray
    y_mean: np.ndarray
    x_map: np.ndarray
    y_map: np.ndarray
    rho: np.ndarray
    x_rank: int
    y_rank: int
    n: int

    @classmethod
    def fit(cls, x: np.ndarray, y: np.ndarray, *, conditioned: int = 0) -> CanonicalPairs:
        """The canonical pairs of x (n, d_x) and y (n, d_y), residuals of `conditioned` directions."""
        x_mean, y_mean = x.mean(0), y.mean(0)
        x_basis, x_white = whiten(x - x_mean)
        y_basis, y_white = whiten(y - y_mean)
        u, rho, vt = np.linalg.svd(x_basis.T @ y_basis, full_matrices=False)
        scale = np.sqrt(len(x))
        rank = (x_basis.shape[1], y_basis.shape[1])
        maps = (x_white @ u * scale, y_white @ vt.T * scale)
        return cls(x_mean, y_mean, *maps, np.minimum(rho, 1.0), *rank, len(x) - 1 - conditioned)

    def variates(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m, r) canonical variates of each side."""
        return (x - self.x_mean) @ self.x_map, (y - self.y_mean) @ self.y_map

    def null_edge(self) -> float:
        """The correlation that the largest of independent sides stays below 95 times in 100 (Johnstone 2008, eq. 5)."""
        p, q, m = min(self.x_rank, self.y_rank), max(self.x_rank, self.y_rank), self.n
        if p == 0 or m <= p + q:
            return 1.0
        phi, gamma = (2 * np.arcsin(np.sqrt((d - 0.5) / (m - 1))) for d in (q, p))
        centre = 2 * np.log(np.tan((phi + gamma) / 2))
        width = (16 / (m - 1) ** 2 / (np.sin(phi + gamma) ** 2 * np.sin(phi) * np.sin(gamma))) ** (1 / 3)
        return float(np.sqrt(1 / (1 + np.exp(-(centre + width * TRACY_WIDOM_95)))))

    def unbiased(self) -> np.ndarray:
        """(kept,) correlations above the null edge, shrunk to what they estimate (Bao, Hu, Pan & Zhou 2019, Thm 1.8).

        With c = d_x / n and e = d_y / n a sample ρ̂² above the edge tends to (ρ²(1 - c) + c)(ρ²(1 - e) + e) / ρ²: the
        larger root in ρ² is returned.
        """
        squares = self.rho[self.rho > self.null_edge()] ** 2
        c, e = self.x_rank / self.n, self.y_rank / self.n
        a, b = (1 - c) * (1 - e), (1 - c) * e + (1 - e) * c - squares
        roots = (-b + np.sqrt(np.maximum(b * b - 4 * a * c * e, 0))) / (2 * a)
        return np.sqrt(np.clip(roots, 0, 1))


def gaussian_nats(rho: np.ndarray) -> float:
    """Mutual information of Gaussian pairs of these correlations; infinite where one is 1.

    >>> round(gaussian_nats(np.array([0.6, 0.8])), 4)
    0.734
    """
    rest = 1 - np.asarray(rho) ** 2
    return float("inf") if (rest < DETERMINISTIC).any() else float(-0.5 * np.log(rest).sum() + 0.0)


def gaussian_log_ratio(u: np.ndarray, v: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """(n,) log density ratio of each pair of variates u, v (n, r) under Gaussian pairs of correlations rho (r,)."""
    rest = 1 - rho**2
    quadratic = (u * v) @ (rho / rest) - (u**2 + v**2) @ (rho**2 / (2 * rest))
    return quadratic - 0.5 * np.log(rest).sum()


def gaussian_table(u: np.ndarray, v: np.ndarray, rho: np.ndarray) -> np.ndarray:
    """(n, m) log density ratios of every row of u (n, r) with every row of v (m, r): see `gaussian_log_ratio`."""
    rest = 1 - rho**2
    own, other = (side**2 @ (rho**2 / (2 * rest)) for side in (u, v))
    return (u * (rho / rest)) @ v.T - own[:, None] - other - 0.5 * np.log(rest).sum()


def whiten(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """An orthonormal basis (n, r) of the columns' span and the map (d, r) to it; r leaves out what is rounding."""
    size = np.abs(centred).max(0, initial=0.0)
    size[size == 0] = 1.0
    basis, values, vt = np.linalg.svd(centred / size, full_matrices=False)
    kept = values > values.max(initial=0.0) * max(centred.shape) * np.finfo(float).eps
    return basis[:, kept], vt[kept].T / values[kept] / size[:, None]
