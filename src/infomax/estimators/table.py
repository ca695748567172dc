"""`mutual_information_table`: one pair of a table's columns, all columns against one, or all pairs.

The pairs are independent of each other, so joblib shares them among processes; a joblib backend of Dask or Ray shares
them among machines. Processes of this machine map the table's file, others are sent the columns they need.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from numbers import Integral
from time import perf_counter
from typing import Any

import numpy as np
import pyarrow as pa
from joblib import Parallel, delayed
from joblib.parallel import get_active_backend

from infomax.data.column_profile import ColumnProfile, profile_columns
from infomax.data.plain import plain
from infomax.data.typed_table import TypedTable, listed, read_table
from infomax.errors import InputError
from infomax.estimators.estimate import Caution
from infomax.estimators.false_discovery import q_values
from infomax.estimators.inference import check_settings, is_whole
from infomax.estimators.select import estimator_of
from infomax.estimators.table_questions import Answer, Question, Settings, against, all_pairs, answer

ROWS = 100_000
_ON_THIS_MACHINE = ("LokyBackend", "MultiprocessingBackend", "ThreadingBackend", "SequentialBackend")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class TableInformation:
    """The answers of a table to one or many questions.

    Attributes:
        source: the table, in words.
        rows: of the table.
        used: of these, drawn before rows with missing entries are left out.
        shape: "pair", "target" or "matrix".
        target: the column that all others were asked about, for that shape.
        columns: what each column of the table is taken for.
        left_out: column -> why no question is about it, where it was not named.
        skipped: reason -> rows of the file that could not be read.
        answers: the strongest first, those without an estimate last.
        asked: how many questions there were: more than answers where the work was interrupted.
        interrupted: whether it was, by Ctrl-C.
        settings: how it was asked.
        versions: of what it was computed with.
        seconds: that it took.
    """

    source: str
    rows: int
    used: int
    shape: str
    target: str | None
    columns: tuple[ColumnProfile, ...]
    left_out: Mapping[str, str]
    skipped: Mapping[str, int]
    answers: tuple[Answer, ...]
    asked: int
    interrupted: bool
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """Plain data for strict JSON."""
        answers = [
            plain(asdict(replace(given, estimate=None))) | {"estimate": given.estimate and given.estimate.to_dict()}
            for given in self.answers
        ]
        return plain(asdict(replace(self, answers=()))) | {"answers": answers}


def mutual_information_table(
    table: Any,
    *,
    x: str | Sequence[str] | None = None,
    y: str | Sequence[str] | None = None,
    target: str | None = None,
    columns: Sequence[str] | None = None,
    given: str | Sequence[str] = (),
    discrete: Collection[str] = (),
    continuous: Collection[str] = (),
    method: Any = "auto",
    level: Any = 0.95,
    delta: Any = None,
    permutations: Any = None,
    block: Any = 1,
    rows: Any = ROWS,
    seed: Any = 0,
    n_jobs: Any = 1,
    progress: Progress | None = None,
) -> TableInformation:
    """How much columns of a table tell about each other: `x` and `y`, all columns and a `target`, or else all pairs.

    A row is left out of a pair where that pair misses an entry, and counted. Each estimate has a p-value of independence
    (see `infomax.estimators.independence`) and, among several, a q-value by Benjamini and Hochberg.

    Args:
        table: a `TypedTable`, the path of a CSV, TSV, JSON-lines or Parquet file, or a pandas, polars or pyarrow table.
        x, y: one or several columns a side; both or neither.
        target: the column that each other one is asked about.
        columns: those to ask about with `target` or in pairs; all that can tell something by default.
        given: columns to condition on.
        discrete, continuous: columns that are so, whatever they look like.
        method: as in `infomax.estimate`.
        level: of the intervals; None for none.
        delta: where given, each estimate has a certified `lower` limit, which holds with probability 1 - delta whatever
            the distribution (see `certificate`).
        permutations: how many shuffles each p-value rests on; None for the quick test where there is one; 0 for none.
        block: length of the blocks that intervals and permutations keep together, for series.
        rows: at most so many rows are used, drawn at random (a run of rows where `block` is more than 1); None for all.
        seed: of everything random. An answer depends on its question and the seed, not on what else is asked.
        n_jobs: processes, as joblib counts them; None asks the `joblib.parallel_config` in force, such as a Dask or Ray
            cluster's.
        progress: called with (questions answered, questions).

    Returns:
        The answers; on Ctrl-C those that there are, marked `interrupted`.

    Raises:
        InputError: a table, column or setting that cannot be right.
    """
    start = perf_counter()
    whole = table if isinstance(table, TypedTable) else read_table(table)
    sides = _names(x), _names(y), _names(given)
    target, columns = (None if target is None else str(target)), (None if columns is None else _names(columns))
    profiles = profile_columns(whole, discrete=discrete, continuous=continuous)
    _check(whole, sides, target, columns, rows)
    check_settings(level, permutations or 0, block, n_jobs, delta, len(whole))
    if not is_whole(seed) or seed < 0:
        raise InputError(f"seed must be a whole number of at least 0; got {seed!r}.")
    questions, left_out = _questions(whole, profiles, sides, target, columns)
    part = _some_rows(whole, questions, rows, block, seed)
    cautions = _subset_caution(len(part), len(whole), block)
    settings = Settings(
        estimator=estimator_of(method),
        discrete={name: profile.discrete for name, profile in profiles.items()},
        level=level,
        delta=delta,
        permutations=permutations,
        block=block,
        seed=seed,
        alone=len(questions) == 1,
        cautions=cautions,
    )
    answers, interrupted = _ask(part, questions, settings, n_jobs, progress)
    told: dict[str, Any] = {"method": method if isinstance(method, str) else settings.estimator.title, "level": level}
    told |= {
        "delta": delta,
        "permutations": permutations,
        "block": block,
        "rows": rows,
        "seed": seed,
        "given": list(sides[2]),
    }
    return TableInformation(
        source=whole.source,
        rows=len(whole),
        used=len(part),
        shape="pair" if sides[0] else "target" if target else "matrix",
        target=target,
        columns=tuple(profiles.values()),
        left_out=left_out,
        skipped=whole.skipped,
        answers=_ranked(answers),
        asked=len(questions),
        interrupted=interrupted,
        settings=told,
        versions=_versions(),
        seconds=perf_counter() - start,
    )


def _names(side: Any) -> tuple[str, ...]:
    """Of one column, several, or none; a data frame's may be numbers."""
    several = () if side is None else [side] if isinstance(side, str | Integral) else side
    return tuple(dict.fromkeys(str(name) for name in several))


def _check(
    table: TypedTable,
    sides: tuple[tuple[str, ...], ...],
    target: str | None,
    columns: Sequence[str] | None,
    rows: Any,
) -> None:
    for name in (*sides[0], *sides[1], *sides[2], *(columns or ()), *([target] if target else [])):
        if name not in table.names:
            reason = f" that can be used ({table.left_out[name]})" if name in table.left_out else ""
            raise InputError(f"{table.source} has no column {name!r}{reason}; it has {listed(table.names)}.")
    if bool(sides[0]) != bool(sides[1]):
        raise InputError("A pair has two sides; name columns for both x and y, or a target, or neither for all pairs.")
    if sides[0] and (target or columns):
        raise InputError("x and y ask about one pair, target and columns about many; give one or the other.")
    asked = [name for side in sides for name in dict.fromkeys(side)]
    if twice := sorted({name for name in asked if asked.count(name) > 1}):
        raise InputError(
            f"Column {twice[0]!r} stands on two sides of the question: a column knows itself; leave one out."
        )
    if rows is not None and not (is_whole(rows) and rows >= 2):
        raise InputError(f"rows must be a whole number of at least 2, or None for all; got {rows!r}.")


def _questions(
    whole: TypedTable,
    profiles: Mapping[str, ColumnProfile],
    sides: tuple[tuple[str, ...], ...],
    target: str | None,
    columns: Sequence[str] | None,
) -> tuple[list[Question], dict[str, str]]:
    """What is asked, and which columns nothing is asked about, and why."""
    x, y, given = sides
    if x:
        return [Question(x, y, given)], {}
    named = list(profiles) if columns is None else list(dict.fromkeys(columns))
    no_use = {name: why for name in named if (why := profiles[name].no_use) and name not in (target, *given)}
    kept = [name for name in named if name not in no_use]
    left_out = (dict(whole.left_out) if columns is None else {}) | no_use
    questions = all_pairs(kept, given) if target is None else against(target, kept, given)
    if not questions:
        reasons = "; ".join(f"{name!r}: {why}" for name, why in left_out.items())
        left = f" (left out: {reasons})" if reasons else ""
        raise InputError(f"There is no pair of columns to ask about{left}; name two columns.{whole.unread}")
    return questions, left_out


def _some_rows(whole: TypedTable, questions: Sequence[Question], rows: int | None, block: int, seed: int) -> TypedTable:
    """The columns that are asked about, of at most so many rows."""
    asked = dict.fromkeys(name for question in questions for name in question.columns)
    if rows is None or rows >= len(whole):
        return whole
    rng = np.random.default_rng(seed)
    if block > 1:
        first = int(rng.integers(len(whole) - rows + 1))
        taken = whole.columns.select(list(asked)).slice(first, rows)
    else:
        chosen = np.sort(rng.choice(len(whole), rows, replace=False, shuffle=False))
        taken = whole.columns.select(list(asked)).take(pa.array(chosen))
    return replace(whole, columns=taken.combine_chunks(), file=None, owner=None)


def _subset_caution(used: int, rows: int, block: int) -> tuple[Caution, ...]:
    if used == rows:
        return ()
    drawn = "a run that begins at random" if block > 1 else "drawn at random"
    text = f"{used:,} of {rows:,} rows, {drawn}, were used; the interval covers what that adds. Ask for more rows."
    return (Caution("subset of rows", text),)


def _ask(
    table: TypedTable, questions: Sequence[Question], settings: Settings, n_jobs: int | None, progress: Progress | None
) -> tuple[list[Answer], bool]:
    """The answers in any order, and whether Ctrl-C came before the last."""
    answers: list[Answer] = []
    try:
        for found in _answers(table, questions, settings, n_jobs):
            answers.append(found)
            if progress is not None:
                progress(len(answers), len(questions))
    except KeyboardInterrupt:
        return answers, True
    return answers, False


def _answers(
    table: TypedTable, questions: Sequence[Question], settings: Settings, n_jobs: int | None
) -> Iterator[Answer]:
    """One by one as they come, from whatever joblib's backend is."""
    if n_jobs == 1 or len(questions) == 1:
        yield from (answer(table.columns, question, settings) for question in questions)
        return
    backend, _ = get_active_backend()
    file = table.file if type(backend).__name__ in _ON_THIS_MACHINE else None
    tasks: Iterable[Any] = (
        delayed(answer)(file or table.columns.select(question.columns), question, settings) for question in questions
    )
    order = "generator_unordered" if backend.supports_return_generator else "list"
    yield from Parallel(n_jobs=n_jobs, return_as=order)(tasks)


def _ranked(answers: Iterable[Answer]) -> tuple[Answer, ...]:
    """With q-values where there are several, the strongest first; equal ones by name, so that the order is one."""
    found = sorted(
        answers, key=lambda a: (a.estimate is None, -a.estimate.nats if a.estimate else 0.0, str(a.question))
    )
    q = q_values([a.estimate.p_value if a.estimate else None for a in found]) if len(found) > 1 else [None] * len(found)
    return tuple(replace(a, q_value=value) for a, value in zip(found, q, strict=True))


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0]}
    for name in ("infomax", "numpy", "scipy", "scikit-learn", "pyarrow", "joblib"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a folder of source
            continue
    return found
