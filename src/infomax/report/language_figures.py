"""The drawings of a language model's report, each from the numbers it shows to one <svg> element."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator

from infomax.report.figures import series
from infomax.report.language_report import LanguageReport
from infomax.report.svg import CHANCE, INK, MUTED, PAPER, TRUE, drawing, svg

_DASH = (0, (4, 3))
_OURS: dict[str, Any] = {"facecolor": TRUE, "edgecolor": TRUE}
_THEIRS: dict[str, Any] = {"facecolor": PAPER, "edgecolor": CHANCE, "hatch": "////"}


def perplexity_figure(report: LanguageReport) -> str:
    """Exact perplexity of the model, n-grams and word frequencies, as bars on a logarithmic axis."""
    rows = report.contenders
    with drawing(9.2, 0.75 + 0.42 * len(rows)) as (figure, axes):
        for place, (_, reading) in enumerate(rows):
            look = _OURS if place == 0 else _THEIRS
            axes.barh(place, reading.perplexity, height=0.62, linewidth=1.2, **look)
            axes.annotate(
                f"{reading.perplexity:,.1f}", (reading.perplexity, place), xytext=(6, 0), textcoords="offset points",
                va="center", color=INK, weight="bold" if place == 0 else "normal",
            )  # fmt: skip
        most = max(reading.perplexity for _, reading in rows)
        least = min(reading.perplexity for _, reading in rows)
        axes.set_yticks(range(len(rows)), [name for name, _ in rows])
        axes.set(
            xlabel="perplexity (lower is better)", xlim=(max(1.0, least / 4), most * 1.6), ylim=(len(rows) - 0.5, -0.5)
        )
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        _logarithmic(axes, (1.0, 2.0, 5.0))
        axes.grid(visible=False)
        return svg(figure, "perplexity", "Exact perplexity of the model and of its baselines")


def loss_figure(report: LanguageReport) -> str:
    """Training loss in nats by step, beside its anchor."""
    steps, losses = series(report.result.history, "loss")
    anchor = report.result.anchors["loss"]
    with drawing(4.6, 2.9) as (figure, axes):
        axes.plot(steps, losses, color=TRUE, linewidth=1.2)
        _line(axes, anchor, f"anchor {anchor:.2f}")
        axes.set(xlabel="step", ylabel="training loss (nats)", ylim=(0, 1.12 * max(anchor, *losses)))
        return svg(figure, "loss", "Training loss by step beside its anchor")


def validation_figure(report: LanguageReport) -> str:
    """Exact validation perplexity by step, beside that of the word frequencies."""
    steps, values = series(report.result.history, "validation_perplexity")
    with drawing(4.6, 2.9) as (figure, axes):
        axes.plot(steps, values, color=TRUE, marker="o", markersize=4)
        best = int(values.argmin())
        axes.annotate(
            f"{values[best]:,.1f}", (steps[best], values[best]), xytext=(0, 8), textcoords="offset points", ha="center",
            color=INK, weight="bold",
        )  # fmt: skip
        axes.set(xlabel="step", ylabel="validation perplexity")
        axes.margins(x=0.08, y=0.25)
        return svg(figure, "validation", "Exact validation perplexity by step")


def normaliser_figure(report: LanguageReport) -> str:
    """Mean of log Z over validation contexts by step, with its spread."""
    steps, means = series(report.result.history, "log_normaliser")
    spreads = series(report.result.history, "log_normaliser_spread")[1]
    with drawing(4.6, 2.9) as (figure, axes):
        axes.errorbar(steps, means, yerr=spreads, color=TRUE, marker="o", markersize=4, capsize=3.5)
        _line(axes, 0.0, "")
        axes.set(xlabel="step", ylabel="log Z (nats)")
        return svg(figure, "normaliser", "Mean and spread of log Z over validation contexts by step")


def kept_figure(report: LanguageReport) -> str:
    """The mean weight of held-out data in NCE's gradient against the number of draws k."""
    kept = sorted(report.result.information_kept.items())
    with drawing(4.6, 2.9) as (figure, axes):
        axes.plot([k for k, _ in kept], [share for _, share in kept], color=TRUE, marker="o", markersize=4)
        _logarithmic(axes, (1.0,))
        used = int(report.result.settings["noise_draws"])
        axes.axvline(used, color=MUTED, linestyle=_DASH, linewidth=1.4)
        axes.annotate(
            f"k = {used:,} ", (used, 0.03), xycoords=("data", "axes fraction"), ha="right", va="bottom", color=MUTED
        )
        _line(axes, 1.0, "")
        axes.set(xlabel="draws k", ylabel="weight of the data", ylim=(0, 1.08))
        return svg(figure, "kept", "Mean weight of held-out data in the gradient of NCE against the number of draws")


def _logarithmic(axes: Axes, multiples: tuple[float, ...]) -> None:
    """A logarithmic x axis with plain numbers at these multiples of the powers of ten."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=multiples))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.xaxis.set_minor_locator(NullLocator())


def _line(axes: Axes, height: float, words: str) -> None:
    axes.axhline(height, color=MUTED, linestyle=_DASH, linewidth=1.4)
    axes.annotate(
        words, (1, height), xycoords=("axes fraction", "data"), xytext=(0, 3), textcoords="offset points", ha="right",
        color=MUTED,
    )  # fmt: skip
