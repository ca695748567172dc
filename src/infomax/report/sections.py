"""The sections of the page that say what held-out pairs and training showed, each from the numbers it shows to HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from infomax.bounds.readout import NATS_PER_BIT, Readout
from infomax.evaluation.result import Evaluation
from infomax.report import figures
from infomax.report.markup import text
from infomax.report.text import measured, retrieval_figures, retrieval_headings, retrieval_rows


def retrieval(evaluation: Evaluation) -> str:
    """Recall and MRR of each contender: drawing and table."""
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


def information(readout: Readout) -> str:
    """The bound against its ceiling, and why it may be called so."""
    lower = "A lower bound on the mutual information between the two sides:"
    word = lower if readout.side == "lower bound" else "A score of how much the two sides tell of each other, no bound:"
    return (
        "<section>\n<h2>Held out: information</h2>\n"
        f"<figure>{figures.information_figure(readout)}<figcaption>{word} {measured(readout)}; the whisker shows "
        "1.96 standard errors each way. No value of this kind exceeds its ceiling, the log of the candidates a row: "
        f"{readout.candidates:,.0f} candidates, {readout.ceiling / NATS_PER_BIT:.2f} bits, of which "
        f"{readout.saturation:.0%} are reached.</figcaption></figure>\n"
        f"<p>Why it may be read so: {text(readout.reason, 400)}</p>\n"
        f'<p class="note">The true partner comes first in {readout.top1:.1%} of the rows. Effective number of '
        f"negatives a row: {_count(readout.effective_negatives)}. Mean score of true pairs "
        f"{readout.mean_positive:.2f}, of chance pairs {readout.mean_negative:.2f} nats.</p>\n</section>"
    )


def curves(history: Sequence[Mapping[str, float | int]]) -> str:
    """Loss and validation bound by step; empty where nothing was logged."""
    drawn = []
    if len(figures.series(history, "loss")[0]):
        drawn.append(f"<figure>{figures.loss_figure(history)}<figcaption>Loss, lower is better.</figcaption></figure>")
    if len(figures.series(history, "validation_bound")[0]):
        drawn.append(
            f"<figure>{figures.validation_figure(history)}<figcaption>Bound on the validation pairs, which choose the "
            "best step. It can never exceed its ceiling.</figcaption></figure>"
        )
    return f'<section>\n<h2>Training</h2>\n<div class="columns">{"".join(drawn)}</div>\n</section>' if drawn else ""


def scores(evaluation: Evaluation) -> str:
    """Histograms of scores; empty where none were kept."""
    if not len(figures.finite(evaluation.positive_scores)) + len(figures.finite(evaluation.negative_scores)):
        return ""
    return (
        "<section>\n<h2>Held out: scores of true and of chance pairs</h2>\n"
        f"<figure>{figures.score_figure(evaluation)}<figcaption>The less the two overlap, the better a score alone "
        "tells a true pair from a chance pair.</figcaption></figure>\n</section>"
    )


def examples(evaluation: Evaluation) -> str:
    """Anchors with their nearest candidates; empty where none were kept."""
    if not evaluation.examples:
        return ""
    cards = "\n".join(_example(*example) for example in evaluation.examples)
    return (
        "<section>\n<h2>Held out: nearest candidates</h2>\n"
        '<p class="note">A few held-out anchors, each with its best candidates and their scores. The true partner is '
        "marked ✓.</p>\n"
        f'<div class="examples">\n{cards}\n</div>\n</section>'
    )


def _example(anchor: str, true: str, nearest: Sequence[tuple[str, float]]) -> str:
    items = "".join(
        f"<li{' class=hit' if label == true else ''}><span class=score>{score:.2f}</span>"
        f"<span>{'✓&nbsp;' if label == true else ''}{text(label, 300)}</span></li>"
        for label, score in nearest
    )
    found = any(label == true for label, _ in nearest)
    missed = "" if found else f'<p class="missed">✗ not among them: {text(true, 300)}</p>'
    return f'<article class="example"><p class="anchor">{text(anchor, 220)}</p><ol>{items}</ol>{missed}</article>'


def _number(value: float) -> str:
    return f"{value:.3f}" if isfinite(value) else "–"


def _count(value: float) -> str:
    if not isfinite(value):
        return "unknown"
    return f"{value:,.1f}" if value < 100 else f"{value:,.0f}"
