"""The figures that a reader should meet first."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from infomax.bounds.readout import NATS_PER_BIT
from infomax.evaluation.result import Evaluation
from infomax.report import markup
from infomax.report.text import retrieval_rows
from infomax.report.words import duration
from infomax.training.result import FitResult


def tiles(result: FitResult) -> str:
    """Retrieval, information, pairs and time, each as one large figure with a small line beside it."""
    found = [] if result.evaluation is None else [*_recall(result.evaluation), _information(result.evaluation)]
    found.append(("Pairs to learn from", f"{result.sizes.get('train', 0):,}", f"{sum(result.sizes.values()):,} in all"))
    found.append(("Time", duration(sum(result.seconds.values())), _longest(result.seconds)))
    return markup.tiles(found)


def _recall(evaluation: Evaluation) -> list[tuple[str, str, str]]:
    """Recall at the greatest depth, with the other contenders beside it; nothing where none was measured."""
    if not evaluation.fitted.recall:
        return []
    depth = max(evaluation.fitted.recall)
    others = [f"{who} {row.recall[depth]:.2f}" for who, row in retrieval_rows(evaluation)[1:] if depth in row.recall]
    return [(f"Held out, recall@{depth}", f"{evaluation.fitted.recall[depth]:.2f}", " · ".join(others))]


def _information(evaluation: Evaluation) -> tuple[str, str, str]:
    readout = evaluation.readout
    error, ceiling = readout.standard_error / NATS_PER_BIT, readout.ceiling / NATS_PER_BIT
    margin = f"± {error:.2f}, " if isfinite(error) else ""
    word = "lower bound" if readout.side == "lower bound" else "score, not a bound"
    return f"Held out, information ({word})", f"{readout.bits:.2f} bits", f"{margin}at most {ceiling:.2f}"


def _longest(seconds: Mapping[str, float | int]) -> str:
    """The phase that took most of the time."""
    phase = max(seconds, key=lambda name: seconds[name], default=None)
    return "" if phase is None else f"{phase} {duration(seconds[phase])}"
