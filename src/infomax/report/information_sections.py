"""The sections of the page about a table, each from the answers it shows to HTML."""

from __future__ import annotations

from collections.abc import Sequence

from infomax.data.typed_table import TypedTable
from infomax.estimators.estimate import Estimate
from infomax.estimators.table import TableInformation
from infomax.estimators.table_questions import Answer
from infomax.report import markup
from infomax.report.information_figures import BARS, SIDE, interval_figure, matrix_figure, ranked_figure
from infomax.report.information_lines import (
    RATE,
    amount,
    caution_summary,
    column_kinds,
    discoveries,
    interval_text,
    named,
    p_text,
    probability,
    rows_text,
)
from infomax.report.information_pictures import pair_picture
from infomax.report.markup import table as settings_table
from infomax.report.markup import text
from infomax.report.words import duration

_PICTURES = 6
_PAIRS = 400  # rows of the table of pairs; a JSON file has them all


def tiles(result: TableInformation, unit: str) -> str:
    """The strongest pair, how many are dependent, rows and time, each as one large figure."""
    found = next((given for given in result.answers if given.estimate is not None), None)
    cells: list[tuple[str, str, str]] = []
    if found is not None and found.estimate is not None:
        title = "Shared" if result.shape == "pair" else "Strongest"
        beside = interval_text(found.estimate, unit) if result.shape == "pair" else _names(result, found)
        cells.append((title, f"{amount(found.estimate.nats, unit)} {unit}", beside))
    dependent, tested = discoveries(result.answers)
    if tested:
        cells.append(("Dependent", f"{dependent:,} of {tested:,}", f"at a false-discovery rate of {RATE:.0%}"))
    elif found is not None and found.estimate is not None and found.estimate.p_value is not None:
        cells.append(("p of independence", probability(found.estimate.p_value), found.test or ""))
    cells.append(("Rows", f"{result.used:,}", f"of {result.rows:,}" if result.used < result.rows else "all of them"))
    cells.append(("Time", duration(result.seconds), f"{len(result.answers):,} of {result.asked:,} asked"))
    return markup.tiles(cells)


def notice(result: TableInformation) -> str:
    """What the reader must know first: that the work was stopped."""
    if not result.interrupted:
        return ""
    return (
        '<div class="notice" role="note"><strong>Partial.</strong> '
        f"The work was stopped by Ctrl-C when {len(result.answers):,} of {result.asked:,} pairs were done; the others are "
        "not here, and the q-values know only these.</div>"
    )


def overview(result: TableInformation, unit: str) -> str:
    """Interval, ranked bars or matrix."""
    found = [given for given in result.answers if given.estimate is not None]
    if not found:
        return ""
    if result.shape == "pair":
        return "\n".join(_one(given, result, unit) for given in found)
    hollow = f"Hollow: dependence is not shown at a false-discovery rate of {RATE:.0%}."
    if result.shape == "target":
        more = f" The {BARS} strongest of {len(found):,}." if len(found) > BARS else ""
        return (
            f"<section>\n<h2>What each column tells about {text(result.target or '', 80)}</h2>\n"
            f"<figure>{ranked_figure(found, unit)}<figcaption>Estimates in {unit} with their intervals. {hollow}{more}"
            "</figcaption></figure>\n</section>"
        )
    drawing, shown = matrix_figure(result.answers, unit)
    more = f" The {shown} columns of the strongest pairs." if shown == SIDE else ""
    return (
        "<section>\n<h2>All pairs</h2>\n"
        f'<figure class="matrix">{drawing}<figcaption>Information in {unit}; columns that share much stand side by side. '
        "The shade is the correlation √(1 − exp(−2 I)) that two Gaussian columns with as much information have. "
        f"White with a dash: dependence is not shown at a false-discovery rate of {RATE:.0%}.{more}"
        "</figcaption></figure>\n</section>"
    )


def pictures(result: TableInformation, table: TypedTable, unit: str) -> str:
    """The strongest pairs of single columns, drawn."""
    profiles = {column.name: column for column in result.columns}
    cards: list[str] = []
    for given in result.answers:
        q = given.question
        if given.estimate is None or len(q.x) != 1 or len(q.y) != 1 or len(cards) == _PICTURES:
            continue
        drawn = pair_picture(table, profiles, q.x[0], q.y[0], f"pair{len(cards)}")
        if drawn:
            said = f"{amount(given.estimate.nats, unit)} {unit}"
            cards.append(
                f"<figure>{drawn}<figcaption><b>{text(_names(result, given), 100)}</b> {said}</figcaption></figure>"
            )
    if not cards:
        return ""
    title = "The pair" if result.shape == "pair" else "The strongest pairs"
    return (
        f'<section>\n<h2>{title}</h2>\n<div class="pictures">{"".join(cards)}</div>\n'
        '<p class="note">Points: rows, at most some hundreds. Boxes: the middle half of the rows of a level, with the '
        "median. Shares: of each row of the table. Information sees any shape; a picture shows which.</p>\n</section>"
    )


def pairs(result: TableInformation, unit: str) -> str:
    """All pairs as a table; those without an answer below it."""
    if result.shape == "pair" and all(given.estimate for given in result.answers):
        return ""
    found = [given for given in result.answers if given.estimate is not None]
    failed = [given for given in result.answers if given.estimate is None]
    rows = "".join(_row(given, result, unit) for given in found[:_PAIRS])
    more = f'<p class="note">The {_PAIRS} strongest of {len(found):,}.</p>' if len(found) > _PAIRS else ""
    without = "".join(f"<li>{text(named(g.question), 200)}: {text(g.problem or '', 500)}</li>" for g in failed)
    without = f"<h3>Without an answer</h3><ul>{without}</ul>" if without else ""
    headings = "".join(
        f'<th scope="col"{kind}>{name}</th>'
        for name, kind in [
            ("", ""),
            *((name, ' class="number"') for name in (unit, "interval", "p", "q", "rows")),
            ("method", ""),
            ("cautions", ""),
        ]
    )
    body = f"<table><thead><tr>{headings}</tr></thead><tbody>{rows}</tbody></table>" if rows else ""
    return (
        f'<section>\n<h2>Every answer</h2>\n<div class="wide">{body}</div>\n{more}{without}\n<p class="note">p: of '
        "independence. q: the smallest false-discovery rate at which the pair is among the dependent ones (Benjamini and "
        "Hochberg).</p>\n</section>"
    )


def cautions(result: TableInformation) -> str:
    """Each kind of caution once, with an example; of one pair all of them."""
    if result.shape == "pair":
        items = [str(caution) for given in result.answers if given.estimate for caution in given.estimate.cautions]
    else:
        items = caution_summary(result.answers)
    listed = "".join(f"<li>{text(item, 600)}</li>" for item in items)
    return (
        f'<section>\n<h2>Cautions</h2>\n<div class="notice" role="note"><ul>{listed}</ul></div>\n</section>'
        if listed
        else ""
    )


def columns(result: TableInformation) -> str:
    """What each column is taken for."""
    rows = "".join(
        f'<tr><th scope="row">{text(c.name, 80)}</th><td>{c.holds}</td><td>{c.taken_as}</td>'
        f'<td class="number">{c.levels:,}</td><td class="number">{c.missing:,}</td><td>{text(c.range, 120)}</td>'
        f"<td>{text(c.no_use or '', 120)}</td></tr>"
        for c in result.columns
    )
    return (
        "<section>\n<h2>Columns</h2>\n"
        '<p class="note">Words and truth values are discrete, numbers and times continuous; whole numbers are discrete where '
        "they have at most as many levels as the square root of the rows.</p>\n"
        '<div class="wide"><table><thead><tr><th scope="col">column</th><th scope="col">holds</th><th scope="col">taken as</th>'
        '<th scope="col" class="number">levels</th><th scope="col" class="number">missing</th><th scope="col">values</th>'
        f'<th scope="col">left out</th></tr></thead><tbody>{rows}</tbody></table></div>\n</section>'
    )


def _one(given: Answer, result: TableInformation, unit: str) -> str:
    found = given.estimate
    assert found is not None  # only these are drawn
    facts: list[tuple[str, str]] = [
        ("estimate", f"{amount(found.nats, 'nats')} nats, {amount(found.nats, 'bits')} bits"),
        ("interval", interval_text(found, unit)),
        ("p", p_text(given)),
        *(_limits(found, unit)),
        ("method", found.method),
        ("source", found.citation),
        ("columns", column_kinds(result.columns, given.question.columns)),
        ("rows", rows_text(found, result)),
    ]
    return (
        f"<section>\n<h2>{text(named(given.question), 300)}</h2>\n"
        f"<figure>{interval_figure(found, unit)}</figure>\n{settings_table([fact for fact in facts if fact[1]])}\n</section>"
    )


def _limits(found: Estimate, unit: str) -> Sequence[tuple[str, str]]:
    return [
        (name, f"{amount(limit.nats, unit)} {unit}: {limit.assumption}")
        for name, limit in (("at least", found.lower), ("at most", found.upper))
        if limit is not None
    ]


def _row(given: Answer, result: TableInformation, unit: str) -> str:
    found = given.estimate
    assert found is not None  # only these are listed
    between = ""
    if found.interval is not None:
        between = f"{amount(found.interval.low, unit)} to {amount(found.interval.high, unit)}"
    numbers = (
        amount(found.nats, unit),
        between,
        probability(found.p_value),
        probability(given.q_value),
        f"{found.n:,}",
    )
    kinds = ", ".join(dict.fromkeys(caution.kind for caution in found.cautions))
    return (
        f'<tr><th scope="row">{text(_names(result, given), 120)}</th>'
        + "".join(f'<td class="number">{number.replace("<", "&lt;")}</td>' for number in numbers)
        + f"<td>{text(found.method, 80)}</td><td>{text(kinds, 120)}</td></tr>"
    )


def _names(result: TableInformation, given: Answer) -> str:
    if result.shape == "target":
        return ", ".join(given.question.x)
    return f"{', '.join(given.question.x)} · {', '.join(given.question.y)}"
