"""A fit as one page: no network, no script, no font file; every string that came from outside is escaped.

The page goes from what was found (retrieval, information) over how it was found (curves, scores, examples) to what it
was found with (data, settings, versions).
"""

from __future__ import annotations

from collections.abc import Mapping

from infomax.data.pairs import ReadReport
from infomax.report import sections
from infomax.report.markup import table, text
from infomax.report.page import page
from infomax.report.text import all_warnings
from infomax.report.tiles import tiles
from infomax.report.words import duration, short
from infomax.training.result import FitResult


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
        _data(result.read, result.sizes, result.moved),
        _run(result),
    ]
    return page(short(result.read.source), body)


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


def _data(read: ReadReport, sizes: Mapping[str, int], moved: Mapping[str, int]) -> str:
    rows = [("source", read.source), ("rows read", read.read), ("rows kept", read.kept)]
    rows += [(f"left out: {reason}", count) for reason, count in read.skipped.items()]
    rows += [(f"pairs for {name}", count) for name, count in sizes.items()]
    rows += [(f"moved beside near duplicates: {move}", count) for move, count in moved.items() if count]
    return f"<section>\n<h2>Data</h2>\n{table(rows)}\n</section>"


def _run(result: FitResult) -> str:
    settings = [*result.settings.items(), ("learned temperature", f"{result.temperature:.4g}")]
    seconds = [(phase, duration(value)) for phase, value in result.seconds.items()]
    return (
        f'<section class="columns">\n<div><h2>Settings</h2>\n{table(settings)}</div>\n'
        f"<div><h2>Versions</h2>\n{table(list(result.versions.items()))}\n<h2>Time</h2>\n{table(seconds)}</div>\n</section>"
    )
