"""A fit as one page: no network, no script, no font file; every string that came from outside is escaped.

The page goes from what was found (retrieval, information) over how it was found (curves, scores, examples) to what it
was found with (data, settings, versions).
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib.resources import files

from infomax.data.pairs import ReadReport
from infomax.report import sections
from infomax.report.markup import table, text
from infomax.report.text import all_warnings, duration, short
from infomax.report.tiles import tiles
from infomax.training.result import FitResult

# Nothing may be fetched, not even by accident: the browser itself refuses whatever is not in the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def fit_html(result: FitResult) -> str:
    """The report of a fit as one self-contained HTML page."""
    evaluation = result.evaluation
    found = [] if evaluation is None else [sections.retrieval(evaluation), sections.information(evaluation.readout)]
    looked = [] if evaluation is None else [sections.scores(evaluation), sections.examples(evaluation)]
    body = [
        _head(result),
        tiles(result),
        _notice(result),
        *found,
        sections.curves(result.history),
        *looked,
        _data(result.read, result.sizes),
        _run(result),
    ]
    style = files("infomax.report").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>infomax: {escape(short(result.read.source))}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
        + "\n".join(part for part in body if part)
        + "\n</body>\n</html>\n"
    )


def _head(result: FitResult) -> str:
    state = (
        "The run was interrupted; its checkpoint resumes it, and what follows describes the encoder so far."
        if result.interrupted
        else "An encoder was fitted so that the true partner of each anchor scores above chance pairs."
    )
    return (
        f"<header>\n<h1>Pairs of {text(short(result.read.source), 200)}</h1>\n"
        f'<p class="lead">{state} Every figure under “Held out” comes from pairs that neither '
        "training nor the choice of the best step has seen.</p>\n</header>"
    )


def _notice(result: FitResult) -> str:
    items = "".join(f"<li>{text(warning, 600)}</li>" for warning in all_warnings(result))
    return f'<div class="notice" role="note"><strong>Warnings</strong><ul>{items}</ul></div>' if items else ""


def _data(read: ReadReport, sizes: Mapping[str, int]) -> str:
    rows = [("source", read.source), ("rows read", read.read), ("rows kept", read.kept)]
    rows += [(f"left out: {reason}", count) for reason, count in read.skipped.items()]
    rows += [(f"pairs for {name}", count) for name, count in sizes.items()]
    return f"<section>\n<h2>Data</h2>\n{table(rows)}\n</section>"


def _run(result: FitResult) -> str:
    settings = [*result.settings.items(), ("learned temperature", f"{result.temperature:.4g}")]
    seconds = [(phase, duration(value)) for phase, value in result.seconds.items()]
    return (
        f'<section class="columns">\n<div><h2>Settings</h2>\n{table(settings)}</div>\n'
        f"<div><h2>Versions</h2>\n{table(list(result.versions.items()))}\n<h2>Time</h2>\n{table(seconds)}</div>\n</section>"
    )
