"""Results as plain lines for a terminal: no colour and no control character, so that a pipe and a log read the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from infomax.bounds.readout import NATS_PER_BIT, Readout
from infomax.data.pairs import ReadReport
from infomax.evaluation.result import Evaluation, Retrieval
from infomax.report.words import bullets, duration, short, shown
from infomax.training.result import FitResult


def fit_text(result: FitResult) -> str:
    """The main figures of a fit: retrieval beside its rivals, information, rows left out and moved, warnings."""
    blocks = [_headline(result)]
    if result.evaluation is not None:
        blocks.append("Held out, used neither to learn nor to choose the best step:")
        blocks.append(evaluation_text(result.evaluation))
    blocks += [skipped_text(result.read), _moved(result.moved), bullets("Warnings", all_warnings(result))]
    return "\n\n".join(block for block in blocks if block)


def evaluation_text(evaluation: Evaluation) -> str:
    """The retrieval table and the read-out of one evaluation (its warnings are the caller's to show)."""
    return f"{_retrieval_text(evaluation)}\n\n{readout_text(evaluation.readout)}"


def readout_text(readout: Readout) -> str:
    """The held-out information in bits and nats, with its standard error, its ceiling and the reason of its side."""
    word = "Information, lower bound" if readout.side == "lower bound" else "Information, a score and no bound"
    ceiling = f"{readout.ceiling / NATS_PER_BIT:.2f} bits ({readout.ceiling:.2f} nats), the log of the candidates a row"
    return (
        f"{word}: {measured(readout)}\n"
        f"  ceiling  {ceiling}; {readout.saturation:.0%} of it reached\n"
        f"  why      {shown(readout.reason, 400)}"
    )


def measured(readout: Readout) -> str:
    """The value with its standard error, in bits and in nats."""
    nats, error = readout.bound, readout.standard_error
    if not isfinite(error):
        return f"{readout.bits:.2f} bits ({nats:.2f} nats; its standard error is unknown)"
    return f"{readout.bits:.2f} ± {error / NATS_PER_BIT:.2f} bits ({nats:.2f} ± {error:.2f} nats, standard error)"


def skipped_text(read: ReadReport) -> str:
    """How many rows were left out and why; empty when none were."""
    skipped = [f"{count:,} {shown(reason, 200)}" for reason, count in read.skipped.items() if count]
    return bullets(f"Rows left out of {short(read.source)}: {read.read - read.kept:,} of {read.read:,}", skipped)


def all_warnings(result: FitResult) -> tuple[str, ...]:
    """The warnings of the fit and of its read-out, each once."""
    readout = result.evaluation.readout.warnings if result.evaluation is not None else ()
    return tuple(dict.fromkeys([*result.warnings, *readout]))


def retrieval_rows(evaluation: Evaluation) -> list[tuple[str, Retrieval]]:
    """(name, retrieval) of every contender that was measured, the fitted encoder first."""
    rows = [("fitted", evaluation.fitted), ("BM25", evaluation.bm25), ("untrained", evaluation.untrained)]
    return [(name, retrieval) for name, retrieval in rows if retrieval is not None]


def retrieval_headings(evaluation: Evaluation) -> list[str]:
    """Names of the figures in `retrieval_figures`, in their order."""
    return [*(f"recall@{k}" for k in sorted(evaluation.fitted.recall)), "MRR"]


def retrieval_figures(evaluation: Evaluation, retrieval: Retrieval) -> list[float]:
    """Recall at each depth the fitted encoder has (NaN where this one lacks it), then the mean reciprocal rank."""
    return [*(retrieval.recall.get(k, float("nan")) for k in sorted(evaluation.fitted.recall)), retrieval.mrr]


def _headline(result: FitResult) -> str:
    sizes = " · ".join(f"{name} {count:,}" for name, count in result.sizes.items())
    word = "Interrupted before its end" if result.interrupted else "Fitted"
    seconds = duration(sum(result.seconds.values()))
    return f"{word}: {sum(result.sizes.values()):,} pairs ({sizes}) in {seconds}; temperature {result.temperature:.3g}"


def _moved(moved: Mapping[str, int]) -> str:
    moves = [f"{count:,} {shown(move, 100)}" for move, count in moved.items() if count]
    return f"Moved beside their near duplicates: {', '.join(moves)}" if moves else ""


def _retrieval_text(evaluation: Evaluation) -> str:
    fitted = evaluation.fitted
    headings = retrieval_headings(evaluation)
    lines = [_columns("", headings)]
    for name, retrieval in retrieval_rows(evaluation):
        lines.append(_columns(name, [f"{value:.3f}" for value in retrieval_figures(evaluation, retrieval)]))
    return "\n".join([f"Retrieval: {fitted.anchors:,} anchors, each among {fitted.candidates:,} candidates", *lines])


def _columns(name: str, cells: Sequence[str]) -> str:
    return f"  {name:<10}" + "".join(f"{cell:>11}" for cell in cells)
