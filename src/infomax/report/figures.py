"""The drawings of the report, each from the numbers it shows to one <svg> element.

No meaning rests on colour alone: a dash, a hatch, an outline or a word repeats it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from infomax.bounds.readout import NATS_PER_BIT, Readout
from infomax.evaluation.result import Evaluation
from infomax.report.svg import CHANCE, INK, MUTED, PAPER, PLAIN, TRUE, drawing, svg
from infomax.report.text import retrieval_figures, retrieval_headings, retrieval_rows

_LOOKS: dict[str, dict[str, Any]] = {
    "fitted": {"facecolor": TRUE, "edgecolor": TRUE},
    "BM25": {"facecolor": PAPER, "edgecolor": CHANCE, "hatch": "////"},
    "untrained": {"facecolor": PAPER, "edgecolor": PLAIN},
}
_POINTS = 400  # a curve on a page has no more to show


def information_figure(readout: Readout) -> str:
    """The bound as a bar against its ceiling, in bits, with an error bar of 1.96 standard errors each way."""
    ceiling, bits, error = readout.ceiling / NATS_PER_BIT, readout.bits, readout.standard_error / NATS_PER_BIT
    with drawing(9.2, 1.55) as (figure, axes):
        axes.barh(
            0,
            ceiling,
            height=0.62,
            gid="ceiling",
            facecolor=PAPER,
            edgecolor=MUTED,
            linewidth=1.2,
            linestyle=(0, (4, 3)),
        )
        axes.barh(0, bits, height=0.62, gid="bound", color=TRUE, alpha=0.85)
        if isfinite(error):
            axes.errorbar(bits, 0, xerr=1.96 * error, color=INK, capsize=7, capthick=1.8, elinewidth=1.8)
        axes.text(ceiling, 0.42, f"ceiling {ceiling:.2f} ", ha="right", va="bottom", color=MUTED)
        axes.text(bits, 0.42, f"{bits:.2f}", ha="center", va="bottom", color=INK, weight="bold")
        axes.set(xlim=(min(0.0, 1.1 * bits), 1.02 * ceiling), ylim=(-0.4, 0.85), yticks=[], xlabel="bits")
        axes.spines["left"].set_visible(False)
        axes.grid(visible=False)
        return svg(figure, "information", f"Held-out {readout.side} of {bits:.2f} bits, ceiling {ceiling:.2f} bits")


def retrieval_figure(evaluation: Evaluation) -> str:
    """Recall and mean reciprocal rank of the fitted encoder, BM25 and the untrained encoder, side by side."""
    headings, rows = retrieval_headings(evaluation), retrieval_rows(evaluation)
    width = 0.8 / len(rows)
    places = np.arange(len(headings))
    with drawing(9.2, 3.0) as (figure, axes):
        for index, (name, retrieval) in enumerate(rows):
            figures = retrieval_figures(evaluation, retrieval)
            middle = places + (index - (len(rows) - 1) / 2) * width
            bars = axes.bar(middle, figures, 0.88 * width, label=name, linewidth=1.4, **_LOOKS[name])
            axes.bar_label(bars, [f"{value:.2f}" for value in figures], padding=2, fontsize=10, color=INK)
        axes.set_xticks(places, headings)
        axes.set(ylim=(0, 1.0), yticks=[0, 0.25, 0.5, 0.75, 1.0])
        axes.tick_params(axis="both", length=0)
        axes.legend(ncols=3, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
        return svg(figure, "retrieval", "Recall and mean reciprocal rank of each contender")


def loss_figure(history: Sequence[Mapping[str, float | int]]) -> str:
    """Training and validation loss in nats, by step."""
    with drawing(4.6, 2.9) as (figure, axes):
        _curve(axes, *series(history, "loss"), color=MUTED, label="training batch", linewidth=1.2)
        _curve(axes, *series(history, "validation_loss"), color=TRUE, label="validation", marker="o", markersize=4)
        axes.set(xlabel="step", ylabel="loss (nats)")
        axes.legend(loc="upper right")
        return svg(figure, "loss", "Training and validation loss by step")


def validation_figure(history: Sequence[Mapping[str, float | int]]) -> str:
    """The validation bound in bits by step, against its ceiling, the log of the number of candidates."""
    steps, bounds = series(history, "validation_bound")
    with drawing(4.6, 2.9) as (figure, axes):
        _curve(axes, steps, bounds / NATS_PER_BIT, color=TRUE, label="validation", marker="o", markersize=4)
        ceilings = series(history, "validation_ceiling")[1] / NATS_PER_BIT
        if len(ceilings):
            axes.axhline(ceilings[-1], color=MUTED, linestyle=(0, (4, 3)), linewidth=1.4)
            axes.annotate(
                f"ceiling log C = {ceilings[-1]:.2f}",
                (1, ceilings[-1]),
                xycoords=("axes fraction", "data"),
                xytext=(0, -4),
                textcoords="offset points",
                ha="right",
                va="top",
                color=MUTED,
            )
            axes.set_ylim(min(0.0, *(bounds / NATS_PER_BIT)), 1.06 * ceilings[-1])
        axes.set(xlabel="step", ylabel="bound (bits)")
        return svg(figure, "validation", "Validation bound by step against its ceiling")


def score_figure(evaluation: Evaluation) -> str:
    """Histograms of the scores of true and of chance pairs, on common bins, each with its mean."""
    true, chance = finite(evaluation.positive_scores), finite(evaluation.negative_scores)
    bins = np.histogram_bin_edges(np.concatenate([true, chance]), bins=60).tolist()
    with drawing(9.2, 2.9) as (figure, axes):
        for scores, name, look in (
            (chance, "chance pairs", {"facecolor": "none", "edgecolor": CHANCE, "hatch": "////"}),
            (true, "true pairs", {"facecolor": TRUE, "edgecolor": TRUE, "alpha": 0.6}),
        ):
            if len(scores):
                share = np.full(len(scores), 1 / len(scores))
                axes.hist(scores, bins, weights=share, label=name, histtype="stepfilled", linewidth=1.4, **look)
                axes.axvline(scores.mean(), color=look["edgecolor"], linestyle=(0, (4, 3)), linewidth=1.4)
        axes.set(xlabel="score (nats; dashed: the mean)", ylabel="share of pairs")
        axes.legend(loc="upper right")
        return svg(figure, "scores", "Histograms of the scores of true and of chance pairs")


def series(history: Sequence[Mapping[str, float | int]], key: str) -> tuple[np.ndarray, np.ndarray]:
    """(steps, values) of the entries of `history` with a finite `key`; neighbours averaged to 400 points."""
    held = [(entry["step"], entry[key]) for entry in history if key in entry and isfinite(entry[key])]
    if not held:
        return np.empty(0), np.empty(0)
    parts = np.array_split(np.asarray(held, dtype=np.float64), min(len(held), _POINTS))
    return np.array([part[:, 0].mean() for part in parts]), np.array([part[:, 1].mean() for part in parts])


def finite(scores: Sequence[float]) -> np.ndarray:
    """The finite ones among `scores`, as float64."""
    values = np.asarray(scores, dtype=np.float64)
    return values[np.isfinite(values)]


def _curve(axes: Axes, steps: np.ndarray, values: np.ndarray, **look: Any) -> None:
    if len(steps):
        axes.plot(steps, values, **look)
