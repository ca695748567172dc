"""What the columns of a table tell about each other, as one page and as strict JSON.

The page goes from what was found (bars or matrix, pictures, all pairs) over what to be careful about to what it was found
with (columns, settings, versions).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from infomax.data.typed_table import TypedTable
from infomax.errors import InputError
from infomax.estimators.table import TableInformation
from infomax.report import information_sections as sections
from infomax.report.information_lines import headline, named
from infomax.report.markup import table as settings_table
from infomax.report.markup import text
from infomax.report.page import page
from infomax.report.strict_json import json_text
from infomax.report.words import short

_ENDINGS = (".html", ".json")


def information_html(result: TableInformation, *, table: TypedTable, unit: str = "nats") -> str:
    """The report of a table as one self-contained HTML page; `table` is what the pictures are drawn from."""
    body = [
        _head(result),
        sections.tiles(result, unit),
        sections.notice(result),
        sections.overview(result, unit),
        sections.pictures(result, table, unit),
        sections.pairs(result, unit),
        sections.cautions(result),
        sections.columns(result),
        _run(result),
    ]
    return page(f"information in {short(result.source)}", body)


def information_targets(out: Path) -> dict[str, Path]:
    """Ending -> file, for the path that a user names: a .html page, a .json file, or a folder for both.

    Raises:
        InputError: a file that is neither.
    """
    if out.suffix.lower() in _ENDINGS:
        if out.is_dir():
            raise InputError(f"{out} is a folder; name a file in it.")
        return {out.suffix.lower(): out}
    if out.suffix or out.is_file():
        raise InputError(f"A report is written to a .html or a .json file, or to a folder for both, not to {out}.")
    return {".html": out / "report.html", ".json": out / "result.json"}


def write_information(
    result: TableInformation, targets: Mapping[str, Path], *, table: TypedTable, unit: str = "nats"
) -> list[Path]:
    """Write the page and the JSON file among `targets`, each whole or not at all; gives where they are.

    Raises:
        InfomaxError: the disk is full, or the folder cannot be written.
    """
    if not targets:
        return []
    from infomax.report.whole_file import write_whole  # torch comes with it

    forms = {
        ".html": lambda: information_html(result, table=table, unit=unit),
        ".json": lambda: json_text(result.to_dict()) + "\n",
    }
    return [write_whole(path, forms) for path in targets.values()]


def _head(result: TableInformation) -> str:
    asked = named(result.answers[0].question) if result.shape == "pair" and result.answers else headline(result)
    return (
        f"<header>\n<h1>Information in {text(short(result.source), 200)}</h1>\n"
        f'<p class="lead">{text(asked, 400)}. Mutual information is how much knowing one column tells about another: 0 for '
        "independent columns, and as many nats (1 nat = 1.443 bits) as one saves in describing the other, whatever the "
        "shape of the dependence.</p>\n</header>"
    )


def _run(result: TableInformation) -> str:
    settings = [
        (name, ", ".join(value) if isinstance(value, list) else value) for name, value in result.settings.items()
    ]
    versions = settings_table(list(result.versions.items()))
    rows = [("source", result.source), ("rows", result.rows), ("rows used", result.used)]
    rows += [(f"left out: {reason}", count) for reason, count in result.skipped.items()]
    return (
        f'<section class="columns">\n<div><h2>Settings</h2>\n{settings_table(settings)}</div>\n'
        f"<div><h2>Data</h2>\n{settings_table(rows)}\n<h2>Versions</h2>\n{versions}</div>\n</section>"
    )
