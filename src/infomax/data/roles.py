"""Which column plays which part: anchor, candidate, group, label, scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from infomax.errors import InputError

# Names that pair data usually carry, tried in this order before the first two columns are taken.
WELL_KNOWN = (
    ("anchor", "candidate"),
    ("anchor", "positive"),
    ("query", "positive"),
    ("query", "candidate"),
    ("query", "document"),
    ("query", "passage"),
    ("query", "answer"),
    ("question", "answer"),
    ("question", "passage"),
    ("sentence1", "sentence2"),
    ("docstring", "code"),
)


@dataclass(frozen=True)
class Request:
    """The column names that were asked for; None leaves the choice to the data."""

    anchor: str | None = None
    candidate: str | None = None
    group: str | None = None
    label: str | None = None
    scores: str | None = None


def assign_roles(names: Sequence[str], request: Request, source: str) -> dict[str, str]:
    """Role -> column name, for the columns `names` of `source`.

    Raises:
        InputError: a requested column is not there, a chosen name stands twice, or fewer than two columns are left.
    """
    for role, name in vars(request).items():
        if name is not None and name not in names:
            raise InputError(f"{source} has no column {name!r} (asked for as {role}); it has {_listed(names)}.")
    roles = {role: name for role, name in vars(request).items() if name is not None}
    if "anchor" not in roles or "candidate" not in roles:
        roles = {**_default(names, roles, source), **roles}
    for name in roles.values():
        if list(names).count(name) > 1:
            raise InputError(
                f"{source} has more than one column named {name!r}: rename them so that each name is single."
            )
    return roles


def _default(names: Sequence[str], asked: dict[str, str], source: str) -> dict[str, str]:
    for anchor, candidate in WELL_KNOWN:
        pair = {"anchor": asked.get("anchor", anchor), "candidate": asked.get("candidate", candidate)}
        if set(pair.values()) <= set(names) and len({*pair.values(), *asked.values()}) == len({**pair, **asked}):
            return pair
    free = [name for name in names if name.strip() and name not in asked.values()]  # an unnamed column is an index
    wanted = [role for role in ("anchor", "candidate") if role not in asked]
    if len(free) < len(wanted):
        taken = ", ".join(f"{name!r} is its {role}" for role, name in asked.items())
        raise InputError(
            f"{source} needs two columns, an anchor and a candidate{', besides' if taken else ''}"
            f"{f' others ({taken})' if taken else ''}; it has {_listed(names)}."
        )
    return dict(zip(wanted, free, strict=False))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:20])
    return f"{shown} and {len(names) - 20} more" if len(names) > 20 else shown or "none"
