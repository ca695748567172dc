"""One run of `infomax mi`: read the columns that are asked about, ask, tell. `mi` imports this once it has parsed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from infomax.cli.console import data, note, results
from infomax.data.column_profile import profile_columns
from infomax.data.plain import plain
from infomax.data.typed_table import TypedTable, read_table
from infomax.errors import InfomaxError, InputError
from infomax.estimators.table import TableInformation, mutual_information_table
from infomax.report.information import information_targets, write_information
from infomax.report.information_lines import columns_text, information_text


@dataclass(frozen=True)
class Wish:
    """Which columns were named, as the arguments and options say it: names may be joined by commas."""

    x: str | None
    y: str | None
    xs: Sequence[str]
    ys: Sequence[str]
    target: str | None
    every: bool
    columns: Sequence[str]
    given: Sequence[str]

    def check(self) -> None:
        """Raises InputError where two kinds of question are asked at once, or half of one."""
        kinds = {
            "a pair (X Y, or --x and --y)": bool(self.x or self.y or self.xs or self.ys),
            "--target": self.target is not None,
            "--all": self.every,
        }
        asked = [kind for kind, wanted in kinds.items() if wanted]
        if len(asked) > 1:
            raise InputError(f"{' and '.join(asked)} are different questions; ask one at a time.")
        if (self.x and self.xs) or (self.y and self.ys):
            raise InputError("A side is named both as an argument and by --x or --y; name it once.")
        if bool(self.x or self.xs) != bool(self.y or self.ys):
            one = self.x or self.y or ",".join(self.xs or self.ys)
            raise InputError(
                f"One side is missing: name a second column beside {one!r}, or ask for every column by --target {one}."
            )
        if self.columns and not (self.every or self.target):
            raise InputError(
                "--columns goes with --target or --all; for one pair, name its columns as X Y or --x, --y."
            )
        if self.given and not self.asks:
            raise InputError("--given belongs to a question: name a pair (X Y), or ask by --target or --all.")

    @property
    def asks(self) -> bool:
        """Whether anything is asked."""
        return bool(self.x or self.xs or self.target is not None or self.every)

    def named(self, names: list[str]) -> dict[str, Any]:
        """The arguments of `mutual_information_table` that say which columns, for a table of these names."""
        found: dict[str, Any] = {"given": split(self.given, names)}
        if self.x or self.xs:
            x, y = [self.x] if self.x else self.xs, [self.y] if self.y else self.ys
            return found | {"x": split(x, names), "y": split(y, names)}
        return found | {"target": self.target, "columns": split(self.columns, names) or None}


def split(said: Sequence[str], names: Sequence[str]) -> list[str]:
    """Names that may be joined by commas, each once; a name that itself has a comma is taken whole.

    >>> split(["age,sex", "height, in cm"], ["age", "sex", "height, in cm"])
    ['age', 'sex', 'height, in cm']
    """
    parts = [[text] if text in names else [part.strip() for part in text.split(",")] for text in said]
    return list(dict.fromkeys(part for several in parts for part in several if part))


def ask(
    source: str,
    wish: Wish,
    *,
    reading: Mapping[str, str | None],
    settings: Mapping[str, Any],
    unit: str,
    out: Path | None,
    quiet: bool,
    json: bool,
) -> None:
    """Ask the table and tell.

    Args:
        source: the file.
        wish: which columns.
        reading: encoding and delimiter of `read_table`.
        settings: of `mutual_information_table`; column names and the number of rows still as they were typed.
        unit: "nats" or "bits", of what people read; JSON has both.
        out: where the report goes; None for none.
        quiet: no progress, no notes.
        json: tell a program, not a person.

    Raises:
        InputError: a table, columns or settings that cannot be right.
        InfomaxError: Ctrl-C came first; what was done is told before.
    """
    wish.check()
    if out is not None and not wish.asks:
        raise InputError("--out is for the answers: ask for a pair (X Y), or by --target or --all.")
    targets = information_targets(out) if out is not None else {}
    used = dict(settings) | {"rows": _rows(settings["rows"]), "n_jobs": settings["n_jobs"] or -1}
    with _waiting(f"reading {source}", quiet=quiet):
        table = read_table(source, columns=_wanted(wish, settings) if wish.asks else None, **reading)
    used |= {name: split(settings[name], table.names) for name in ("discrete", "continuous")}
    if not wish.asks:
        _show_columns(table, used, json=json)
        return
    with _workers(), _progress(quiet) as progress:
        found = mutual_information_table(table, **wish.named(list(table.names)), **used, progress=progress)
    if found.interrupted and not found.answers:
        raise InfomaxError(f"stopped by Ctrl-C before the first of {found.asked:,} pairs was done.")
    if not any(answer.estimate for answer in found.answers):
        raise InputError(f"{found.answers[0].problem}{table.unread}")
    for path in write_information(found, targets, table=table, unit=unit):
        note(f"Report  {path}", quiet=quiet)
    _tell(found, unit, json=json)
    if found.interrupted:
        raise InfomaxError(
            f"stopped by Ctrl-C: {len(found.answers):,} of {found.asked:,} pairs were done, and only they are reported."
        )


def _wanted(wish: Wish, settings: Mapping[str, Any]) -> Callable[[list[str]], Sequence[str]] | None:
    """Which columns to read: those of a pair, else all (or those of --columns)."""

    def choose(names: list[str]) -> Sequence[str]:
        asked = wish.named(names)
        overrides = [name for kind in ("discrete", "continuous") for name in split(settings[kind], names)]
        many = (asked.get("columns") or names) if "x" not in asked else [*asked["x"], *asked["y"]]
        target = [asked["target"]] if asked.get("target") else []
        return list(dict.fromkeys([*many, *target, *asked["given"], *overrides]))

    return choose


def _rows(text: str) -> int | None:
    if text == "all":
        return None
    try:
        return int(text.replace(",", "").replace("_", ""))
    except ValueError:
        raise InputError(f"--rows takes a number of rows or the word all; got {text!r}.") from None


def _show_columns(table: TypedTable, settings: Mapping[str, Any], *, json: bool) -> None:
    profiles = profile_columns(table, discrete=settings["discrete"], continuous=settings["continuous"])
    if json:
        columns = [plain(asdict(profile)) for profile in profiles.values()]
        data({"source": table.source, "rows": len(table), "skipped": dict(table.skipped), "columns": columns})
        return
    usable = [profile.name for profile in profiles.values() if profile.no_use is None]
    results(f"{table.source}: {len(table):,} rows, {len(profiles)} columns\n\n{columns_text(profiles.values())}\n")
    for name, reason in table.left_out.items():
        results(f"cannot be used: {name!r} ({reason})")
    if table.unread:
        results(table.unread.strip())
    if len(usable) < 2:
        return
    results(
        "Ask for one pair, for all columns against one, or for all pairs:\n"
        f"  infomax mi {_quoted(table.source)} {_quoted(usable[0])} {_quoted(usable[-1])}\n"
        f"  infomax mi {_quoted(table.source)} --target {_quoted(usable[-1])}\n"
        f"  infomax mi {_quoted(table.source)} --all --out report.html\n"
        "--discrete and --continuous overrule what a column is taken as."
    )


def _quoted(text: str) -> str:
    from shlex import quote

    return quote(text)


def _tell(found: TableInformation, unit: str, *, json: bool) -> None:
    if json:
        data(found.to_dict())
    else:
        results(information_text(found, unit=unit))


@contextmanager
def _workers() -> Iterator[None]:
    """Let joblib's worker processes go at the end: a process that ends by `os._exit` would wait for them for ever."""
    try:
        yield
    finally:
        pool = sys.modules.get("joblib.externals.loky.reusable_executor")
        if pool is not None and getattr(pool, "_executor", None) is not None:
            pool._executor.shutdown(wait=True, kill_workers=True)


@contextmanager
def _waiting(text: str, *, quiet: bool) -> Iterator[None]:
    """A spinner where a person is watching."""
    if quiet or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield


@contextmanager
def _progress(quiet: bool) -> Iterator[Callable[[int, int], None] | None]:
    """A bar of pairs where a person is watching."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("pairs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("pairs", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
