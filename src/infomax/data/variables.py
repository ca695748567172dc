"""`sample`: what a user holds, in any library, as the checked `Sample` that every estimator takes.

Kinds are inferred column by column. Booleans, texts and categories are discrete; floats and dates are continuous; integers
are discrete where they have at most two levels, or at most √n of them (so that a level is seen √n times on average), and
continuous otherwise. That last rule is a guess, so it is said as a caution, and `discrete_x=` and friends overrule it.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Any

import numpy as np

from infomax.data.raw_columns import RawColumn, raw_columns
from infomax.data.samples import Sample, Variable
from infomax.errors import InputError

FAR = 300  # binary exponents; beyond ±FAR squares of float64 come near overflow or underflow


def sample(
    x: Any,
    y: Any,
    given: Any = None,
    *,
    discrete_x: Any = None,
    discrete_y: Any = None,
    discrete_given: Any = None,
) -> Sample:
    """x and y (and what is given) as one checked sample; a row with a missing entry is left out and counted.

    Args:
        x, y, given: (n,) or (n, d) arrays, series, data frames or lists; numpy, pandas, polars, pyarrow or torch.
        discrete_x, discrete_y, discrete_given: whether the columns are discrete, a bool or one for each column; None
            infers it.

    Raises:
        InputError: lengths or pandas indexes that differ, fewer than two complete rows, an infinite entry, a column
            that is complex, of mixed types, or of no kind that has a mutual information.

    >>> s = sample([0.5, 1.5, 2.5], ["a", "b", None])
    >>> len(s), s.x.kind, s.y.kind, s.dropped
    (2, 'continuous', 'discrete', {'missing value': 1})
    """
    sources = {"x": x, "y": y} | ({} if given is None else {"given": given})
    _refuse_other_indexes(sources)
    columns = {side: raw_columns(source, side) for side, source in sources.items()}
    keep = _complete(columns, sources)
    overrules = {"x": discrete_x, "y": discrete_y, "given": discrete_given}
    cautions: list[tuple[str, str]] = []
    made = {}
    for side, found in columns.items():
        made[side], said = _variable(found, keep, side, overrules[side])
        cautions += said
    lost = int(len(keep) - keep.sum())
    dropped = {"missing value": lost} if lost else {}
    return Sample(made["x"], made["y"], made.get("given"), dropped, tuple(cautions))


def _refuse_other_indexes(sources: dict[str, Any]) -> None:
    """Two pandas objects are paired by position: refuse those whose labels say otherwise."""
    indexed = [(side, source.index) for side, source in sources.items() if hasattr(source, "iloc")]
    for side, index in indexed[1:]:
        first, labels = indexed[0]
        if len(labels) == len(index) and not labels.equals(index):
            raise InputError(
                f"{first} and {side} have different pandas indexes: rows are paired by position, so align them first, or "
                "pass .to_numpy() if the positions are right."
            )


def _complete(columns: dict[str, list[RawColumn]], sources: dict[str, Any]) -> np.ndarray:
    """(n,) bool, the rows without a missing entry."""
    lengths = {side: len(found[0].values) for side, found in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{side} {n:,}" for side, n in lengths.items())
        hint = next((_transposed(side, sources[side]) for side, n in lengths.items() if n == 1), "")
        raise InputError(f"Expected as many rows of each, got {told}: give one row per observation.{hint}")
    missing = np.logical_or.reduce([column.missing for found in columns.values() for column in found])
    n = int((~missing).sum())
    if n < 2:
        gone = f" ({int(missing.sum()):,} left out, as an entry is missing)" if missing.any() else ""
        raise InputError(f"Expected at least 2 observations, got {n}{gone}: one or none says nothing of dependence.")
    return ~missing


def _transposed(side: str, source: Any) -> str:
    shape = tuple(getattr(source, "shape", ()))
    return f" {side} has shape {shape}: did you mean its transpose?" if len(shape) == 2 and shape[0] == 1 else ""


def _variable(
    columns: list[RawColumn], keep: np.ndarray, side: str, overrule: Any
) -> tuple[Variable, list[tuple[str, str]]]:
    kept = [_checked(column, keep, side) for column in columns]
    wanted = _overrules(overrule, len(kept), side)
    inferred = [_is_discrete(column) for column in kept]
    discrete = [guess if want is None else want for guess, want in zip(inferred, wanted, strict=True)]
    for column, is_discrete in zip(kept, discrete, strict=True):
        if column.kind == "level" and not is_discrete and len(np.unique(column.values)) > 2:
            raise InputError(f"Column {column.name!r} of {side} holds levels, not numbers: it can only be discrete.")
    values = [_codes(c.values) if d else _numbers(c.values) for c, d in zip(kept, discrete, strict=True)]
    guessed = [(c, d) for c, d, want in zip(kept, discrete, wanted, strict=True) if want is None]
    variable = Variable(np.column_stack(values), np.array(discrete), tuple(column.name for column in kept))
    return variable, _said(guessed, side)


def _checked(column: RawColumn, keep: np.ndarray, side: str) -> RawColumn:
    values = column.values[keep]
    if column.kind == "float" and not np.isfinite(values).all():
        row = int(np.flatnonzero(keep)[np.flatnonzero(~np.isfinite(values))[0]])
        raise InputError(
            f"Row {row:,} of column {column.name!r} of {side} is infinite: leave such rows out, or cap them."
        )
    return RawColumn(column.name, values, column.missing[keep], column.kind)


def _overrules(overrule: Any, columns: int, side: str) -> list[bool | None]:
    if overrule is None or isinstance(overrule, bool | np.bool_):
        return [overrule if overrule is None else bool(overrule)] * columns
    entries = list(overrule) if isinstance(overrule, Sequence | np.ndarray) else []
    if len(entries) != columns or any(not (e is None or isinstance(e, bool | np.bool_)) for e in entries):
        raise InputError(f"discrete_{side} must be a bool, or one for each of the {columns} columns; got {overrule!r}.")
    return [None if entry is None else bool(entry) for entry in entries]


def _is_discrete(column: RawColumn) -> bool:
    if column.kind != "integer":
        return column.kind == "level"
    levels = len(np.unique(column.values))
    return levels <= max(2, isqrt(len(column.values)))


def _codes(values: np.ndarray) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1].reshape(-1).astype(np.float64)


def _numbers(values: np.ndarray) -> np.ndarray:
    """float64, and by a power of two away from the ends of its range: exact, and no information changes."""
    if values.dtype.kind in "iu":  # what a float64 cannot hold apart is held apart as far as the spread allows
        low = int(values.min())
        values = values - values.dtype.type(low) if int(values.max()) - low < 2**62 else values
    values = values.astype(np.float64)
    exponent = int(np.frexp(np.abs(values).max())[1])
    return np.ldexp(values, -exponent) if abs(exponent) > FAR else values


def _said(guessed: list[tuple[RawColumn, bool]], side: str) -> list[tuple[str, str]]:
    """A caution for integers whose kind is not plain, and for floats that look like levels."""
    found = []
    remedy = f"pass discrete_{side}= to decide."
    for is_discrete, word in ((True, "discrete"), (False, "continuous")):
        names = [
            c.name for c, d in guessed if c.kind == "integer" and d == is_discrete and len(np.unique(c.values)) > 2
        ]
        if names:
            found.append(("inferred type", f"{_list(names, side)}: integers, taken as {word}; {remedy}"))
    whole = [c.name for c, _ in guessed if c.kind == "float" and _looks_discrete(c.values)]
    if whole:
        said = "few whole numbers, stored as floats, so taken as continuous"
        found.append(("inferred type", f"{_list(whole, side)}: {said}; {remedy}"))
    return found


def _looks_discrete(values: np.ndarray) -> bool:
    if (values != np.floor(values)).any():
        return False
    return 1 < len(np.unique(values)) <= max(2, isqrt(len(values)))


def _list(names: list[str], side: str) -> str:
    if names == [side]:
        return side
    shown = ", ".join(repr(name) for name in names[:5])
    return f"{side} ({shown if len(names) <= 5 else f'{shown} and {len(names) - 5} more'})"
