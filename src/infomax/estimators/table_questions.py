"""Questions to a table ("how much do these columns tell about those?"), and the answer to one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import combinations
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa

from infomax.data.arrow_file import map_arrow
from infomax.data.samples import Sample
from infomax.data.variables import sample
from infomax.errors import InputError
from infomax.estimators.estimate import Caution, Estimate
from infomax.estimators.estimator import Estimator
from infomax.estimators.independence import independence_test
from infomax.estimators.inference import estimate_sample, without_constants

_SHUFFLES = 199  # of a lone question that has no analytic test,
_CELLS = 20_000  # where it has at most so many cells


@dataclass(frozen=True)
class Question:
    """How much do the columns `x` tell about the columns `y`, given the columns `given`?"""

    x: tuple[str, ...]
    y: tuple[str, ...]
    given: tuple[str, ...] = ()

    def __str__(self) -> str:
        sides = f"{', '.join(self.x)} and {', '.join(self.y)}"
        return f"{sides}, given {', '.join(self.given)}" if self.given else sides

    @property
    def columns(self) -> list[str]:
        """All columns that it is about."""
        return list(dict.fromkeys([*self.x, *self.y, *self.given]))


@dataclass(frozen=True)
class Answer:
    """What the table says to a question.

    Attributes:
        question: what was asked.
        estimate: the answer; None where there is none.
        problem: why there is none, in a sentence.
        test: the test that the p-value comes from, in words; None without a p-value.
        q_value: the smallest false-discovery rate at which this question is among the discoveries of all that were asked.
        seconds: that it took.
    """

    question: Question
    estimate: Estimate | None
    problem: str | None = None
    test: str | None = None
    q_value: float | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Settings:
    """How questions are answered: arguments of `mutual_information_table`."""

    estimator: Estimator
    discrete: Mapping[str, bool]
    level: float | None
    permutations: int | None
    block: int
    seed: int
    alone: bool
    cautions: tuple[Caution, ...] = ()
    delta: float | None = None


def against(target: str, columns: Sequence[str], given: Sequence[str] = ()) -> list[Question]:
    """Each of the other columns against the target."""
    others = [name for name in columns if name != target and name not in given]
    return [Question((name,), (target,), tuple(given)) for name in others]


def all_pairs(columns: Sequence[str], given: Sequence[str] = ()) -> list[Question]:
    """Each pair of columns, once."""
    return [Question((a,), (b,), tuple(given)) for a, b in combinations([c for c in columns if c not in given], 2)]


def answer(columns: pa.Table | Path, question: Question, settings: Settings) -> Answer:
    """The answer to one question; a question without one says why.

    Args:
        columns: a table that has the question's columns, or the Arrow file to map them from.
        question: what is asked.
        settings: how.
    """
    start = perf_counter()
    table = map_arrow(columns) if isinstance(columns, Path) else columns
    try:
        observed = _sample(table, question, settings.discrete)
        estimate, test = _estimate(observed, question, settings)
    except InputError as error:
        return Answer(question, None, problem=str(error), seconds=perf_counter() - start)
    cautions = (*settings.cautions, *estimate.cautions)
    return Answer(question, replace(estimate, cautions=cautions), test=test, seconds=perf_counter() - start)


def _sample(table: pa.Table, question: Question, discrete: Mapping[str, bool]) -> Sample:
    sides: dict[str, Any] = {
        name: None if not names else table.select(list(names))
        for name, names in (("x", question.x), ("y", question.y), ("given", question.given))
    }
    kinds = {
        f"discrete_{name}": None if side is None else [discrete[column] for column in side.column_names]
        for name, side in sides.items()
    }
    return sample(sides["x"], sides["y"], sides["given"], **kinds)


def _estimate(observed: Sample, question: Question, settings: Settings) -> tuple[Estimate, str | None]:
    """The estimate with its p-value, and the test in words.

    The p-value is that of `independence_test` where there is one and no number of permutations was asked for.
    """
    rng = _generator(settings.seed, question)
    by_permutation = settings.permutations or 0
    tested = None
    if settings.permutations is None and settings.block == 1:
        varying, _ = without_constants(observed)
        tested = None if varying is None else independence_test(varying, rng)
    if settings.permutations is None and tested is None and settings.alone and _small(observed, settings):
        by_permutation = _SHUFFLES
    estimate = estimate_sample(
        settings.estimator,
        observed,
        level=settings.level,
        permutations=by_permutation,
        block=settings.block,
        random_state=rng,
        delta=settings.delta,
    )
    if tested is not None:
        return replace(estimate, p_value=tested.p_value), tested.test
    if by_permutation:
        return estimate, f"{by_permutation:,} permutations of the estimate"
    if settings.permutations is None:
        said = "No p-value: the quick test does not know such a question; ask for a number of permutations."
        estimate = replace(estimate, cautions=(*estimate.cautions, Caution("no p-value", said)))
    return estimate, None


def _small(observed: Sample, settings: Settings) -> bool:
    columns = sum(side.values.shape[1] for side in (observed.x, observed.y, observed.z) if side is not None)
    return len(observed) * columns <= _CELLS and len(observed) >= 3 * settings.block


def _generator(seed: int, question: Question) -> np.random.Generator:
    """Its own stream of random numbers for each question: no answer depends on what else is asked, or by how many."""
    named = blake2b(repr((question.x, question.y, question.given)).encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(named, "little")])
