"""What a table said about the information its columns share, as plain lines for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from infomax.data.column_profile import ColumnProfile
from infomax.estimators.estimate import NATS_PER, Estimate
from infomax.estimators.table import TableInformation
from infomax.estimators.table_questions import Answer, Question
from infomax.report.words import bullets, duration, shown

RATE = 0.05  # false-discovery rate that the count of discoveries is told for
_STRONGEST = 20
_WIDE = 44  # letters of a name in a listing


def information_text(result: TableInformation, *, unit: str = "nats", all_answers: bool = False) -> str:
    """One pair in a few lines; several as a ranked list, the 20 strongest of all pairs unless all are asked for."""
    if result.shape == "pair":
        body = [one_text(given, result, unit) for given in result.answers]
    else:
        limit = len(result.answers) if all_answers or result.shape == "target" else _STRONGEST
        body = [_listing(result, unit, limit), *_notes(result, limit)]
    return "\n\n".join(part for part in [*body, _skipped(result)] if part)


def one_text(given: Answer, result: TableInformation, unit: str) -> str:
    """The answer to one question in a few lines."""
    found = given.estimate
    if found is None:
        return f"{named(given.question)}: no answer. {shown(given.problem or '', 600)}"
    other = "bits" if unit == "nats" else "nats"
    lines = [f"{named(given.question)} share {amount(found.nats, unit)} {unit} ({amount(found.nats, other)} {other})"]
    facts = [("interval", interval_text(found, unit)), ("p", p_text(given))]
    if found.lower is not None:
        facts.append(("at least", f"{amount(found.lower.nats, unit)} {unit} ({shown(found.lower.assumption, 200)})"))
    if found.upper is not None:
        facts.append(("at most", f"{amount(found.upper.nats, unit)} {unit} ({shown(found.upper.assumption, 200)})"))
    facts += [("method", shown(found.method, 200)), ("columns", column_kinds(result.columns, given.question.columns))]
    facts.append(("rows", rows_text(found, result)))
    facts += [("considered", text) for text in [_contenders(found, unit)] if text]
    lines += [f"  {name:<11}{text}" for name, text in facts if text]
    cautions = bullets("Cautions", [str(caution) for caution in found.cautions])
    return "\n".join(lines) + (f"\n\n{cautions}" if cautions else "")


def columns_text(columns: Iterable[ColumnProfile]) -> str:
    """The columns of a table: what they hold, what they are taken for, and why one is of no use."""
    rows = [("column", "holds", "taken as", "levels", "missing", "")]
    for c in columns:
        told = c.range + (f"  ({c.no_use})" if c.no_use else "")
        rows.append((shown(c.name, _WIDE), c.holds, c.taken_as, f"{c.levels:,}", f"{c.missing:,}", shown(told, 100)))
    return _aligned(rows, right={3, 4})


def named(question: Question) -> str:
    """The question's columns, made harmless."""
    return shown(str(question), 300)


def amount(nats: float, unit: str) -> str:
    """Nats in the unit, to three places."""
    return f"{nats / NATS_PER[unit] + 0.0:.3f}"


def interval_text(found: Estimate, unit: str) -> str:
    """The interval in the unit, with its level and kind; empty without one."""
    if found.interval is None:
        return ""
    low, high = amount(found.interval.low, unit), amount(found.interval.high, unit)
    return f"{low} to {high} {unit}, {100 * found.interval.level:g}%, {found.interval.kind}"


def p_text(given: Answer) -> str:
    """The p-value of independence and its test."""
    found = given.estimate
    if found is None or found.p_value is None:
        return ""
    return f"{probability(found.p_value)} of independence: {given.test}"


def probability(value: float | None) -> str:
    """A p- or q-value in few letters.

    >>> probability(0.0314), probability(3.2e-40), probability(0.0)
    ('0.031', '3e-40', '<1e-300')
    """
    if value is None:
        return "–"
    if value < 1e-300:
        return "<1e-300"
    return f"{value:.0e}" if value < 0.001 else f"{value:.2g}" if value < 0.1 else f"{value:.2f}"


def column_kinds(columns: Iterable[ColumnProfile], names: Sequence[str]) -> str:
    """What the named columns are taken for."""
    profiles = {column.name: column for column in columns}
    return "; ".join(
        f"{shown(name, 60)} {profiles[name].holds}, {profiles[name].levels:,} levels, {profiles[name].taken_as}"
        for name in names
    )


def rows_text(found: Estimate, result: TableInformation) -> str:
    """How many rows the estimate rests on."""
    lost = ", ".join(f"{count:,} with a {shown(reason, 60)}" for reason, count in found.dropped.items() if count)
    return f"{found.n:,} of {result.rows:,}" + (f" (left out: {lost})" if lost else "")


def discoveries(answers: Iterable[Answer]) -> tuple[int, int]:
    """How many pairs are dependent at a false-discovery rate of 5 %, of how many tested."""
    tested = [given.q_value for given in answers if given.q_value is not None]
    return sum(q <= RATE for q in tested), len(tested)


def headline(result: TableInformation) -> str:
    """What was asked, of how much, in one line."""
    asked = (
        "All columns against " + shown(result.target or "", 60) if result.shape == "target" else "All pairs of columns"
    )
    done = f"{len(result.answers):,} of {result.asked:,} done, " if result.interrupted else ""
    partial = "PARTIAL, stopped by Ctrl-C. " if result.interrupted else ""
    pairs = "pair" if result.asked == 1 else "pairs"
    return f"{partial}{asked}: {result.asked:,} {pairs}, {done}{result.used:,} rows, {duration(result.seconds)}"


def caution_summary(answers: Iterable[Answer]) -> list[str]:
    """Each kind of caution once, with the number of pairs that have it and an example."""
    seen: Counter[str] = Counter()
    example: dict[str, str] = {}
    for given in answers:
        for caution in {c.kind: c for c in (given.estimate.cautions if given.estimate else ())}.values():
            seen[caution.kind] += 1
            example.setdefault(caution.kind, f"{named(given.question)}: {caution.text}")
    return [
        f"{kind}, {count:,} {'pair' if count == 1 else 'pairs'}; {example[kind]}" for kind, count in seen.most_common()
    ]


def _listing(result: TableInformation, unit: str, limit: int) -> str:
    shown_answers = [given for given in result.answers[:limit] if given.estimate is not None]
    level = next((g.estimate.interval.level for g in shown_answers if g.estimate and g.estimate.interval), None)
    rows = [("", unit, f"{100 * level:g}% interval" if level else "", "p", "q", "rows", "method")]
    for given in shown_answers:
        found = given.estimate
        assert found is not None  # sorted out above
        between = ""
        if found.interval is not None:
            between = f"{amount(found.interval.low, unit)} to {amount(found.interval.high, unit)}"
        p, q = probability(found.p_value), probability(given.q_value)
        who = (
            ", ".join(given.question.x)
            if result.shape == "target"
            else f"{given.question.x[0]} · {given.question.y[0]}"
        )
        rows.append(
            (shown(who, _WIDE), amount(found.nats, unit), between, p, q, f"{found.n:,}", shown(found.method, 40))
        )
    return f"{headline(result)}\n\n{_aligned(rows, right={1, 2, 3, 4, 5})}"


def _notes(result: TableInformation, limit: int) -> list[str]:
    notes = []
    if hidden := len(result.answers) - limit:
        notes += [f"… and {hidden:,} weaker pairs; --out writes them all."] if hidden > 0 else []
    found, tested = discoveries(result.answers)
    if tested:
        notes.append(
            f"Dependent at a false-discovery rate of {RATE:.0%} (q, Benjamini-Hochberg): {found:,} of {tested:,}."
        )
    failed = [f"{named(given.question)}: {given.problem}" for given in result.answers if given.estimate is None]
    left = [f"{name}: {reason}" for name, reason in result.left_out.items()]
    return [
        "\n".join(notes),
        bullets("Columns left out", left),
        bullets("Pairs without an answer", failed),
        bullets("Cautions", caution_summary(result.answers)),
    ]


def _skipped(result: TableInformation) -> str:
    return bullets(
        "Rows of the file that could not be read", [f"{count:,} {why}" for why, count in result.skipped.items()]
    )


def _contenders(found: Estimate, unit: str) -> str:
    if len(found.contenders) < 2:
        return ""
    scored = [
        f"{contender.method} {amount(contender.nats, unit)}"
        + ("" if contender.score is None else f" (held-out score {contender.score:.3f})")
        + (" – chosen" if contender.chosen else "")
        for contender in found.contenders
    ]
    return "; ".join(scored)


def _aligned(rows: Sequence[Sequence[str]], right: set[int]) -> str:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
