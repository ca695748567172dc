"""Results as plain lines for a terminal: no colour and no control character, so that a pipe and a log read the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite
from pathlib import PurePath
from unicodedata import category

from infomax.bounds.readout import NATS_PER_BIT, Readout
from infomax.data.pairs import ReadReport
from infomax.evaluation.result import Evaluation, Retrieval
from infomax.training.result import FitResult

# Characters that reorder what surrounds them: text that was read from a file must not rewrite the lines beside it.
_REORDERING = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def fit_text(result: FitResult) -> str:
    """The main figures of a fit: retrieval beside its rivals, information, warnings, rows left out."""
    blocks = [_headline(result)]
    if result.evaluation is not None:
        blocks.append("Held out, used neither to learn nor to choose the best step:")
        blocks.append(evaluation_text(result.evaluation))
    blocks += [skipped_text(result.read), bullets("Warnings", all_warnings(result))]
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


def bullets(title: str, lines: Iterable[str]) -> str:
    """A title over indented lines; empty when there is no line."""
    listed = [f"  - {shown(line, 600)}" for line in lines]
    return "\n".join([title, *listed]) if listed else ""


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


def duration(seconds: float | int) -> str:
    """Seconds as a person says them: "0.4 s", "38 s", "2 min 05 s", "1 h 02 min"."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def shown(text: str, limit: int) -> str:
    """`text` on one line of at most `limit` characters, with control and reordering characters made harmless."""
    cut = text[: limit + 1]
    line = "".join(_harmless(character) for character in cut)
    return line if len(text) <= limit else f"{line[:limit]}…"


def short(source: str) -> str:
    """A source without the folders it lies in: "pairs.csv" for "data/pairs.csv", each of several by its own name."""
    return shown(", ".join(PurePath(part).name or part for part in source.split(", ")), 120)


def _harmless(character: str) -> str:
    if character in "\n\r\t\v\f\u2028\u2029":
        return " "
    return "\ufffd" if character in _REORDERING or category(character) in ("Cc", "Cs") else character


def _headline(result: FitResult) -> str:
    sizes = " · ".join(f"{name} {count:,}" for name, count in result.sizes.items())
    word = "Interrupted before its end" if result.interrupted else "Fitted"
    seconds = duration(sum(result.seconds.values()))
    return f"{word}: {sum(result.sizes.values()):,} pairs ({sizes}) in {seconds}; temperature {result.temperature:.3g}"


def _retrieval_text(evaluation: Evaluation) -> str:
    fitted = evaluation.fitted
    headings = retrieval_headings(evaluation)
    lines = [_columns("", headings)]
    for name, retrieval in retrieval_rows(evaluation):
        lines.append(_columns(name, [f"{value:.3f}" for value in retrieval_figures(evaluation, retrieval)]))
    return "\n".join([f"Retrieval: {fitted.anchors:,} anchors, each among {fitted.candidates:,} candidates", *lines])


def _columns(name: str, cells: Sequence[str]) -> str:
    return f"  {name:<10}" + "".join(f"{cell:>11}" for cell in cells)
