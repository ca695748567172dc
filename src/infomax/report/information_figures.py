"""The drawings of how much columns tell: ranked bars, the matrix of all pairs, the interval of one pair.

The shade of a cell is the correlation √(1 - exp(-2 I)) that two Gaussians with as much information have (Linfoot 1957):
0 for none, 1 for a function, and the same for every unit. The number beside it says the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from infomax.estimators.estimate import NATS_PER, Estimate
from infomax.estimators.table_questions import Answer
from infomax.report.information_lines import RATE, amount
from infomax.report.svg import CHANCE, GRID, INK, MUTED, PAPER, TRUE, drawing, svg
from infomax.report.words import shown

BARS, SIDE = 40, 30  # bars, and columns of a matrix, that a page has room for
_NUMBERED = 16  # columns up to which the numbers stand in the cells
_LABEL = 28


def ranked_figure(answers: Sequence[Answer], unit: str) -> str:
    """Bars of the strongest columns with their intervals; hollow where dependence is not shown."""
    drawn = [given for given in answers if given.estimate is not None][:BARS]
    with drawing(9.2, 0.7 + 0.34 * len(drawn)) as (figure, axes):
        for place, given in enumerate(drawn):
            _bar(axes, place, given, unit)
        axes.set_yticks(range(len(drawn)), [shown(", ".join(given.question.x), _LABEL) for given in drawn])
        axes.set(xlabel=unit, ylim=(len(drawn) - 0.4, -0.6))
        axes.margins(x=0.09)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.axvline(0, color=MUTED, linewidth=1)
        axes.grid(visible=False, axis="y")
        axes.grid(visible=True, axis="x")
        return svg(figure, "ranked", "Information of each column about the target, ranked, with intervals")


def interval_figure(found: Estimate, unit: str) -> str:
    """One value with its interval on a line from 0, and the limits there are."""
    with drawing(9.2, 1.5) as (figure, axes):
        axes.barh(0, found.nats / NATS_PER[unit], height=0.6, color=TRUE, alpha=0.85)
        _whisker(axes, 0, found, unit)
        end = max(_right(found), 1e-3) / NATS_PER[unit]
        for limit, name in ((found.lower, "at least"), (found.upper, "at most")):
            if limit is not None and 0 < limit.nats:
                place = limit.nats / NATS_PER[unit]
                axes.axvline(place, color=CHANCE, linestyle=(0, (4, 3)), linewidth=1.4)
                axes.text(place, 0.62, f"{name} {place:.2f} ", ha="right", va="bottom", color=CHANCE)
                end = max(end, place)
        axes.axvline(0, color=MUTED, linewidth=1)
        start = min(0.0, found.nats, found.interval.low if found.interval else 0.0) / NATS_PER[unit]
        axes.set(ylim=(-0.5, 0.95), yticks=[], xlabel=unit, xlim=(1.1 * start, 1.05 * end))
        axes.spines["left"].set_visible(False)
        axes.grid(visible=False)
        return svg(figure, "interval", f"{amount(found.nats, unit)} {unit} with its interval")


def matrix_figure(answers: Sequence[Answer], unit: str) -> tuple[str, int]:
    """The matrix of all pairs, columns that tell much about each other side by side; and how many columns it shows."""
    names, nats, q = _matrix(answers)
    size = min(9.2, 3.2 + 0.42 * len(names))
    with drawing(size, size * 0.86) as (figure, axes):
        for i in range(len(names)):
            for j in range(len(names)):
                if i != j:
                    _cell(axes, i, j, float(nats[i, j]), float(q[i, j]), unit, numbered=len(names) <= _NUMBERED)
        labels = [shown(name, _LABEL if len(names) <= _NUMBERED else 20) for name in names]
        axes.set_xticks(range(len(names)), labels, rotation=45, ha="left", rotation_mode="anchor")
        axes.set_yticks(range(len(names)), labels)
        axes.tick_params(length=0, labelcolor=INK, top=True, labeltop=True, bottom=False, labelbottom=False, pad=4)
        axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(len(names) - 0.5, -0.5), aspect="equal")
        axes.grid(visible=False)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return svg(figure, "matrix", "Information of each pair of columns as a matrix"), len(names)


def shade(nats: float) -> float:
    """√(1 - exp(-2 I)): the correlation of two Gaussians with so much information.

    >>> shade(0.0), round(shade(-0.5 * np.log(1 - 0.6**2)), 6)
    (0.0, 0.6)
    """
    return float(np.sqrt(1 - np.exp(-2 * max(nats, 0.0))))


def _bar(axes: Axes, place: int, given: Answer, unit: str) -> None:
    found = given.estimate
    assert found is not None  # only these are drawn
    known = given.q_value is None or given.q_value <= RATE
    look: dict[str, Any] = {"facecolor": TRUE, "edgecolor": TRUE, "alpha": 0.85}
    if not known:
        look = {"facecolor": PAPER, "edgecolor": MUTED, "hatch": "////"}
    axes.barh(place, found.nats / NATS_PER[unit], height=0.62, linewidth=1.2, **look)
    _whisker(axes, place, found, unit)
    right = max(_right(found), 0.0) / NATS_PER[unit]
    axes.annotate(
        amount(found.nats, unit),
        (right, place),
        xytext=(8, 0),
        textcoords="offset points",
        va="center",
        color=INK,
        fontsize=10,
    )


def _whisker(axes: Axes, place: float | int, found: Estimate, unit: str) -> None:
    if found.interval is None:
        return
    value, low, high = (v / NATS_PER[unit] for v in (found.nats, found.interval.low, _right(found)))
    left, right = max(value - low, 0.0), max(high - value, 0.0)
    look: dict[str, Any] = {"color": INK, "capsize": 3.5, "capthick": 1.3, "elinewidth": 1.3}
    if np.isfinite(found.interval.high):
        axes.errorbar(value, place, xerr=((left,), (right,)), **look)
    else:  # no upper end: an arrow
        axes.errorbar(value, place, xerr=((left,), (0.0,)), **look)
        axes.errorbar(value, place, xerr=((0.0,), (right,)), xlolims=True, **look)


def _right(found: Estimate) -> float:
    """Where the drawing of an estimate ends, in nats: where its interval has no upper end, as far above as below."""
    if found.interval is None:
        return found.nats
    low, high = found.interval.low, found.interval.high
    return max(found.nats, high if np.isfinite(high) else 2 * found.nats - low)


def _cell(axes: Axes, i: int, j: int, nats: float, q: float, unit: str, *, numbered: bool) -> None:
    corner, strength = (j - 0.48, i - 0.48), shade(nats) if np.isfinite(nats) else 0.0
    known = q <= RATE or np.isnan(q)
    axes.add_patch(Rectangle(corner, 0.96, 0.96, facecolor=PAPER, edgecolor=GRID, linewidth=0.6))
    if not np.isfinite(nats):
        axes.text(j, i, "?", ha="center", va="center", color=MUTED, fontsize=9)
        return
    if known:
        axes.add_patch(Rectangle(corner, 0.96, 0.96, facecolor=TRUE, edgecolor="none", alpha=round(strength, 2)))
    if numbered:
        colour = PAPER if known and strength > 0.62 else INK if known else MUTED
        text = re.sub(r"^(-?)0\.", r"\1.", f"{nats / NATS_PER[unit] + 0.0:.2f}") if known else "–"
        axes.text(j, i, text, ha="center", va="center", color=colour, fontsize=9)


def _matrix(answers: Sequence[Answer]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, (c, c) nats and q-values (NaN where there is none), of the columns that take part in the strongest pairs."""
    strongest = dict.fromkeys(name for given in answers for name in (given.question.x[0], given.question.y[0]))
    names = list(strongest)[:SIDE]
    place = {name: i for i, name in enumerate(names)}
    nats, q = np.full((2, len(names), len(names)), np.nan)
    for given in answers:
        i, j = place.get(given.question.x[0]), place.get(given.question.y[0])
        if i is not None and j is not None and given.estimate is not None:
            nats[i, j] = nats[j, i] = given.estimate.nats
            q[i, j] = q[j, i] = np.nan if given.q_value is None else given.q_value
    order = _side_by_side(nats)
    return [names[i] for i in order], nats[np.ix_(order, order)], q[np.ix_(order, order)]


def _side_by_side(nats: np.ndarray) -> np.ndarray:
    """An order in which columns that tell much about each other are neighbours."""
    if len(nats) < 3:
        return np.arange(len(nats))
    apart = 1 - np.vectorize(shade)(np.nan_to_num(nats))
    np.fill_diagonal(apart, 0)
    close = squareform(apart, checks=False)
    return leaves_list(linkage(close, "average", optimal_ordering=True))
