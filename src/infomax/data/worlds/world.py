"""`World`: a law of pairs that knows its own mutual information.

Every claim of an estimator is tested against such laws. A world states the exact value and, where it can, the
pointwise log ratio log p(x, y) / p(x) p(y), which proves the value: no function whose exponential has mean 1 over
chance pairs has a larger mean over true pairs (Gibbs), and the mean of the right one is the mutual information.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from infomax.errors import InputError

Pair = tuple[np.ndarray, np.ndarray]
Triple = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class World:
    """A law of pairs (x, y).

    Attributes:
        name: unique among the worlds of this package.
        d_x, d_y: columns of x and of y.
        mutual_information: I(X; Y) in nats.
        draw: (n, generator) -> (n, d_x) and (n, d_y) arrays; discrete columns are int64, others float64.
        log_ratio: (x, y) -> (n,), log p(x, y) / p(x) p(y) in nats, with densities or probabilities alike; None where
            it is unknown.
        gaussian: jointly Gaussian up to maps of each coordinate by itself and linear maps of each side before them.
        block: how many successive pairs depend on each other, for time series; 1 for independent pairs.
    """

    name: str
    d_x: int
    d_y: int
    mutual_information: float
    draw: Callable[[int, np.random.Generator], Pair]
    log_ratio: Callable[[np.ndarray, np.ndarray], np.ndarray] | None = None
    gaussian: bool = False
    block: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.mutual_information < inf:
            raise InputError(
                f"{self.name}: there is no such law, as its information would be {self.mutual_information} nats; check the "
                "parameters."
            )

    def sample(self, n: int, rng: Any) -> Pair:
        """n pairs: (n, d_x) and (n, d_y). `rng` is a seed or a numpy generator.

        >>> from infomax.data.worlds import correlated
        >>> x, y = correlated(0.6).sample(5, 0)
        >>> x.shape, y.shape
        ((5, 1), (5, 1))
        """
        return self.draw(n, np.random.default_rng(rng))


@dataclass(frozen=True)
class ConditionalWorld:
    """A law of triples (x, y, z).

    Attributes:
        name: unique among the worlds of this package.
        d_x, d_y, d_z: columns of each.
        conditional_mutual_information: I(X; Y | Z) in nats.
        mutual_information: I(X; Y) in nats, z unseen.
        draw: (n, generator) -> (n, d_x), (n, d_y) and (n, d_z) arrays; discrete columns are int64, others float64.
        log_ratio: (x, y, z) -> (n,), log p(x, y | z) / p(x | z) p(y | z) in nats.
    """

    name: str
    d_x: int
    d_y: int
    d_z: int
    conditional_mutual_information: float
    mutual_information: float
    draw: Callable[[int, np.random.Generator], Triple]
    log_ratio: Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]

    def sample(self, n: int, rng: Any) -> Triple:
        """n triples: (n, d_x), (n, d_y) and (n, d_z). `rng` is a seed or a numpy generator."""
        return self.draw(n, np.random.default_rng(rng))
