"""A fit as one page: no network, no script, no font file; every string that came from outside is escaped.

The page goes from what was found (retrieval, information) over how it was found (curves, scores, examples) to what it
was found with (data, settings, versions).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from math import isfinite
from typing import Any

from infomax.bounds.readout import NATS_PER_BIT, Readout
from infomax.data.pairs import ReadReport
from infomax.evaluation.result import Evaluation
from infomax.report import figures
from infomax.report.text import (
    all_warnings,
    duration,
    retrieval_figures,
    retrieval_headings,
    retrieval_rows,
    shown,
)
from infomax.training.result import FitResult

# Nothing may be fetched, not even by accident: the browser itself refuses whatever is not in the page.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def fit_html(result: FitResult) -> str:
    """The report of a fit as one self-contained HTML page."""
    evaluation = result.evaluation
    found = [] if evaluation is None else [_retrieval(evaluation), _information(evaluation.readout)]
    looked = [] if evaluation is None else [_scores(evaluation), _examples(evaluation)]
    body = [
        _head(result),
        _tiles(result),
        _notice(result),
        *found,
        _curves(result.history),
        *looked,
        _data(result.read, result.sizes),
        _run(result),
    ]
    style = files("infomax.report").joinpath("page.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>infomax: {escape(shown(result.read.source, 120))}</title>\n<style>\n{style}</style>\n</head>\n<body>\n"
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
        f"<header>\n<h1>Pairs of {_text(result.read.source, 200)}</h1>\n"
        f'<p class="lead">{state} Every figure under “Held out” comes from pairs that neither '
        "training nor the choice of the best step has seen.</p>\n</header>"
    )


def _tiles(result: FitResult) -> str:
    tiles = []
    evaluation = result.evaluation
    if evaluation is not None:
        depth = max(evaluation.fitted.recall, default=0)
        name = f"recall@{depth}"
        others = [
            f"{who} {row.recall[depth]:.2f}" for who, row in retrieval_rows(evaluation)[1:] if depth in row.recall
        ]
        if depth:
            tiles.append((f"Held out, {name}", f"{evaluation.fitted.recall[depth]:.2f}", " · ".join(others)))
        readout = evaluation.readout
        error = readout.standard_error / NATS_PER_BIT
        ceiling = readout.ceiling / NATS_PER_BIT
        word = "lower bound" if readout.side == "lower bound" else "score, not a bound"
        tiles.append(
            (f"Held out, information ({word})", f"{readout.bits:.2f} bits", f"± {error:.2f} of at most {ceiling:.2f}")
        )
    tiles.append(("Pairs to learn from", f"{result.sizes.get('train', 0):,}", f"{sum(result.sizes.values()):,} in all"))
    tiles.append(("Time", duration(sum(result.seconds.values())), _phases(result.seconds)))
    cells = "\n".join(
        f'<div class="tile"><dt>{escape(name)}</dt><dd class="figure">{escape(figure)}</dd>'
        f'<dd class="beside">{escape(beside)}</dd></div>'
        for name, figure, beside in tiles
    )
    return f'<dl class="tiles">\n{cells}\n</dl>'


def _phases(seconds: Mapping[str, float]) -> str:
    longest = sorted(seconds, key=lambda phase: -seconds[phase])[:2]
    return " · ".join(f"{phase} {duration(seconds[phase])}" for phase in longest)


def _notice(result: FitResult) -> str:
    items = "".join(f"<li>{_text(warning, 600)}</li>" for warning in all_warnings(result))
    return f'<div class="notice" role="note"><strong>Warnings</strong><ul>{items}</ul></div>' if items else ""


def _retrieval(evaluation: Evaluation) -> str:
    headings = "".join(f'<th scope="col" class="number">{heading}</th>' for heading in retrieval_headings(evaluation))
    rows = "".join(
        f'<tr{" class=first" if name == "fitted" else ""}><th scope="row">{name}</th>'
        + "".join(f'<td class="number">{_number(value)}</td>' for value in retrieval_figures(evaluation, retrieval))
        + "</tr>"
        for name, retrieval in retrieval_rows(evaluation)
    )
    fitted = evaluation.fitted
    return (
        "<section>\n<h2>Held out: finding the true partner</h2>\n"
        f'<p class="note">{fitted.anchors:,} anchors, each against {fitted.candidates:,} candidates. recall@k is the '
        "share of anchors with a true partner among the first k; MRR is the mean of 1 / rank. BM25 matches words and "
        "learns nothing; “untrained” is the same encoder before training.</p>\n"
        f"<figure>{figures.retrieval_figure(evaluation)}</figure>\n"
        f"<table><thead><tr><td></td>{headings}</tr></thead><tbody>{rows}</tbody></table>\n</section>"
    )


def _information(readout: Readout) -> str:
    error = readout.standard_error
    lower = "A lower bound on the mutual information between the two sides:"
    word = lower if readout.side == "lower bound" else "A score of how much the two sides tell of each other, no bound:"
    return (
        "<section>\n<h2>Held out: information</h2>\n"
        f"<figure>{figures.information_figure(readout)}<figcaption>{word} {readout.bits:.2f} ± "
        f"{error / NATS_PER_BIT:.2f} bits ({readout.bound:.2f} ± {error:.2f} nats, one standard error; the whisker "
        "shows 1.96 each way). No value of this kind exceeds its ceiling, the log of the number of candidates a row: "
        f"{readout.candidates:,.0f} candidates, {readout.ceiling / NATS_PER_BIT:.2f} bits, of which "
        f"{readout.saturation:.0%} are reached.</figcaption></figure>\n"
        f"<p>Why it may be read so: {_text(readout.reason, 400)}</p>\n"
        f'<p class="note">The true partner comes first in {readout.top1:.1%} of the rows. Effective number of '
        f"negatives a row: {_count(readout.effective_negatives)}. Mean score of true pairs "
        f"{readout.mean_positive:.2f}, of chance pairs {readout.mean_negative:.2f} nats.</p>\n</section>"
    )


def _curves(history: Sequence[Mapping[str, float]]) -> str:
    drawn = []
    if len(figures.series(history, "loss")[0]):
        drawn.append(f"<figure>{figures.loss_figure(history)}<figcaption>Loss, lower is better.</figcaption></figure>")
    if len(figures.series(history, "validation_bound")[0]):
        drawn.append(
            f"<figure>{figures.validation_figure(history)}<figcaption>Bound on the validation pairs, which choose the "
            "best step. It can never exceed its ceiling.</figcaption></figure>"
        )
    return f'<section>\n<h2>Training</h2>\n<div class="columns">{"".join(drawn)}</div>\n</section>' if drawn else ""


def _scores(evaluation: Evaluation) -> str:
    if not len(figures.finite(evaluation.positive_scores)) + len(figures.finite(evaluation.negative_scores)):
        return ""
    return (
        "<section>\n<h2>Held out: scores of true and of chance pairs</h2>\n"
        f"<figure>{figures.score_figure(evaluation)}<figcaption>The less the two overlap, the better a score alone "
        "tells a true pair from a chance pair.</figcaption></figure>\n</section>"
    )


def _examples(evaluation: Evaluation) -> str:
    if not evaluation.examples:
        return ""
    cards = "\n".join(_example(*example) for example in evaluation.examples)
    return (
        "<section>\n<h2>Held out: nearest candidates</h2>\n"
        '<p class="note">A few held-out anchors, each with its best candidates and their cosines. The true partner is '
        "marked ✓.</p>\n"
        f'<div class="examples">\n{cards}\n</div>\n</section>'
    )


def _example(anchor: str, true: str, nearest: Sequence[tuple[str, float]]) -> str:
    items = "".join(
        f"<li{' class=hit' if label == true else ''}>{'✓ ' if label == true else ''}{_text(label, 300)} "
        f'<span class="score">{score:.2f}</span></li>'
        for label, score in nearest
    )
    found = any(label == true for label, _ in nearest)
    missed = "" if found else f'<p class="missed">✗ not among them: {_text(true, 300)}</p>'
    return f'<article class="example"><p class="anchor">{_text(anchor, 400)}</p><ol>{items}</ol>{missed}</article>'


def _data(read: ReadReport, sizes: Mapping[str, int]) -> str:
    rows = [("source", read.source), ("rows read", read.read), ("rows kept", read.kept)]
    rows += [(f"left out: {reason}", count) for reason, count in read.skipped.items()]
    rows += [(f"pairs for {name}", count) for name, count in sizes.items()]
    return f"<section>\n<h2>Data</h2>\n{_table(rows)}\n</section>"


def _run(result: FitResult) -> str:
    settings = [*result.settings.items(), ("learned temperature", f"{result.temperature:.4g}")]
    seconds = [(phase, duration(value)) for phase, value in result.seconds.items()]
    return (
        f'<section class="columns">\n<div><h2>Settings</h2>\n{_table(settings)}</div>\n'
        f"<div><h2>Versions</h2>\n{_table(list(result.versions.items()))}\n<h2>Time</h2>\n{_table(seconds)}</div>\n</section>"
    )


def _table(rows: Sequence[tuple[str, Any]]) -> str:
    cells = "".join(
        f'<tr><th scope="row">{_text(name, 300)}</th><td>{_text(_setting(value), 600)}</td></tr>'
        for name, value in rows
    )
    return f"<table><tbody>{cells}</tbody></table>"


def _setting(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _number(value: float) -> str:
    return f"{value:.3f}" if isfinite(value) else "–"


def _count(value: float) -> str:
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _text(text: str, limit: int) -> str:
    """`text` as HTML on which nothing around it depends: cut, made harmless, escaped, isolated in its direction."""
    return f"<bdi>{escape(shown(text, limit))}</bdi>"
