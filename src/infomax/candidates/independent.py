"""Independent draws from a fixed law: uniform, log-uniform, unigram to a power, and mixtures. Hits are kept.

log(expected count) = log k + log q, of the target as of the draws: the one correction with which sampled objectives of
independent draws are consistent.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import isfinite, log
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infomax.candidates.alias import AliasTable
from infomax.candidates.checks import class_count, class_ids, draw_count
from infomax.candidates.drawn import Drawn
from infomax.candidates.sampler import Sampler
from infomax.errors import InputError


class IndependentDraws(Sampler):
    """A sampler whose draws are independent, each with law q."""

    hits = "kept"

    @abstractmethod
    def log_q(self, ids: Tensor) -> Tensor:
        """float64 log probabilities of single draws, in the shape of ids; -inf for an id that is never drawn."""

    @abstractmethod
    def _ids(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor: ...

    def draw(self, k: int, rng: torch.Generator, rows: int | None = None) -> Drawn:
        draws = draw_count(k)
        ids = self._ids((draws,) if rows is None else (rows, draws), rng)
        return Drawn(ids, self.log_expected(ids, k), "kept", float(draws))

    def log_expected(self, ids: Tensor, k: int) -> Tensor:
        return self.log_q(class_ids(ids, self.classes)) + log(draw_count(k))


class Uniform(IndependentDraws):
    """q = 1/V.

    >>> Uniform(8).draw(3, torch.Generator().manual_seed(0)).log_expected.exp()
    tensor([0.3750, 0.3750, 0.3750], dtype=torch.float64)
    """

    def __init__(self, classes: Any) -> None:
        self.classes = class_count(classes)

    def log_q(self, ids: Tensor) -> Tensor:
        return torch.full(ids.shape, -log(self.classes), dtype=torch.float64, device=ids.device)

    def _ids(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        return torch.randint(self.classes, shape, generator=rng, device=rng.device)


class LogUniform(IndependentDraws):
    """q(w) = log((w + 2) / (w + 1)) / log(V + 1): Zipf's law for classes sorted by falling frequency.

    Source: TensorFlow's `log_uniform_candidate_sampler`.
    """

    def __init__(self, classes: Any) -> None:
        self.classes = class_count(classes)

    def log_q(self, ids: Tensor) -> Tensor:
        return torch.log1p(1 / (ids.double() + 1)).log() - log(log(self.classes + 1))

    def _ids(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        u = torch.rand(shape, generator=rng, dtype=torch.float64, device=rng.device)
        return (u * log(self.classes + 1)).exp().long().sub_(1).clamp_(0, self.classes - 1)


class Unigram(IndependentDraws):
    """q ∝ count^power, by an alias table; power 1 is the data's law, 0.75 word2vec's, 0 uniform over what occurs.

    Args:
        counts: (V,) numbers, 0 or more; a class of count 0 is never drawn and, as a target, is refused by the objectives:
            mix with `Uniform` where such targets occur.
        power: exponent of the counts.
    """

    def __init__(self, counts: Any, power: float = 1.0) -> None:
        values = np.asarray(_numbers(counts) if isinstance(counts, Tensor) else counts)
        if values.ndim != 1 or not len(values) or values.dtype.kind not in "uif":
            raise InputError(f"counts must be a vector, a number a class; got {values.dtype} {values.shape}.")
        values = values.astype(np.float64)
        if not np.isfinite(values).all() or (values < 0).any() or not values.any():
            raise InputError(
                "counts must be finite, none below 0 and not all 0: a sampler needs something that it may draw."
            )
        if not isfinite(power):
            raise InputError(f"power must be finite; got {power}.")
        with np.errstate(divide="ignore"):
            logs = np.where(values > 0, power * np.log(values), -np.inf)
        weights = np.exp(logs - logs.max())
        self.classes, self.power = len(values), power
        q = weights / weights.sum(dtype=np.longdouble).astype(np.float64)
        self._table = AliasTable(q)
        with np.errstate(divide="ignore"):
            self._log_q = torch.from_numpy(np.log(q))

    def log_q(self, ids: Tensor) -> Tensor:
        return self._log_q.to(ids.device)[ids]

    def _ids(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        return self._table.draw(shape, rng)


class Mixture(IndependentDraws):
    """q = Σ weight · q of each part; `Mixture([unigram, Uniform(V)], [0.9, 0.1])` leaves no class undrawn."""

    def __init__(self, parts: Sequence[Any], weights: Sequence[float]) -> None:
        if len(parts) != len(weights) or not parts:
            raise InputError(f"a mixture needs as many weights as parts; got {len(weights)} and {len(parts)}.")
        if not all(isinstance(part, IndependentDraws) for part in parts):
            raise InputError(
                "the parts of a mixture must be samplers of independent draws, such as Unigram and Uniform."
            )
        if len({part.classes for part in parts}) > 1:
            raise InputError(f"the parts have {sorted({p.classes for p in parts})} classes: all must have as many.")
        if not (min(weights) > 0 and abs(sum(weights) - 1) <= 1e-9):
            raise InputError(f"weights must be positive and sum to 1; got {list(weights)}.")
        self.parts, self.classes = tuple(parts), parts[0].classes
        self.weights = torch.tensor(weights, dtype=torch.float64)

    def log_q(self, ids: Tensor) -> Tensor:
        logs = [w + part.log_q(ids) for w, part in zip(self.weights.log().tolist(), self.parts, strict=True)]
        return torch.logsumexp(torch.stack(logs), 0)

    def _ids(self, shape: tuple[int, ...], rng: torch.Generator) -> Tensor:
        coin = torch.rand(shape, generator=rng, dtype=torch.float64, device=rng.device)
        part = torch.searchsorted(self.weights.cumsum(0).to(coin.device), coin, right=True)
        ids = self.parts[-1]._ids(shape, rng)
        for index, sampler in enumerate(self.parts[:-1]):
            ids = torch.where(part == index, sampler._ids(shape, rng), ids)
        return ids


def _numbers(counts: Tensor) -> Tensor:
    """On the CPU, in a type that numpy has."""
    counts = counts.detach().cpu()
    return counts.double() if counts.is_floating_point() else counts
