"""Pictures of single pairs: points, points by level, or a table of shares, whatever the kinds of the two columns call for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from infomax.data.cell_types import TIME
from infomax.data.column_profile import ColumnProfile
from infomax.data.typed_table import TypedTable
from infomax.report.svg import CHANCE, GRID, INK, PAPER, TRUE, drawing, svg
from infomax.report.words import shown

_ROWS, _POINTS, _STRIP = 20_000, 700, 60  # rows looked at; points of a picture; points of a level
_LEVELS, _LABEL = 8, 18
_OTHERS = "others"
_EDGE = 0.2  # per cent of the values beyond each end of an axis that may have to leave the picture


def pair_picture(table: TypedTable, profiles: Mapping[str, ColumnProfile], x: str, y: str, name: str) -> str:
    """The two columns against each other; empty where they share no complete row."""
    a, b = _complete(table, x, y)
    if not len(a):
        return ""
    sides = [(x, _values(a, profiles[x]), profiles[x].discrete), (y, _values(b, profiles[y]), profiles[y].discrete)]
    with drawing(3.7, 2.9) as (figure, axes):
        if sides[0][2] and sides[1][2]:
            _shares(axes, sides[0][1], sides[1][1])
            axes.set(xlabel=shown(y, 40), ylabel=shown(x, 40))
        elif sides[0][2] or sides[1][2]:
            levels, values = sides if sides[0][2] else sides[::-1]
            _strips(axes, levels[1], values[1])
            axes.set(xlabel=shown(values[0], 40), ylabel=shown(levels[0], 40))
        else:
            _points(axes, sides[0][1], sides[1][1])
            axes.set(xlabel=shown(x, 40), ylabel=shown(y, 40))
        return svg(figure, name, "The two columns of this pair against each other")


def _complete(table: TypedTable, x: str, y: str) -> tuple[pa.ChunkedArray, pa.ChunkedArray]:
    """Rows that have both, at most 20,000 of them."""
    both = table.columns.select([x, y])
    if len(both) > _ROWS:
        chosen = np.random.default_rng(0).choice(len(both), _ROWS, replace=False)
        both = both.take(pa.array(np.sort(chosen)))
    for name in (x, y):
        if pa.types.is_floating(both.column(name).type):
            both = both.filter(pc.is_finite(both.column(name)))
    both = both.drop_null()
    return both.column(x), both.column(y)


def _values(column: pa.ChunkedArray, profile: ColumnProfile) -> np.ndarray:
    if profile.discrete:
        return np.array([_level(value) for value in column.to_pylist()], dtype=object)
    if column.type == TIME:
        return column.to_numpy().astype("datetime64[us]").astype(object)
    return column.cast(pa.float64(), safe=False).to_numpy()  # whole numbers beyond 2^53 are rounded


def _level(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else shown(str(value), 1000)


def _label(level: str) -> str:
    """Both ends of a long level, since long names that differ may begin alike."""
    return level if len(level) <= _LABEL else f"{level[: _LABEL // 2]}…{level[1 - _LABEL // 2 :]}"


def _grouped(levels: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The commonest levels, in order of their names or numbers, with all others as one; and the place of each row's."""
    counts = Counter(levels.tolist())
    kept = [level for level, _ in counts.most_common(_LEVELS if len(counts) <= _LEVELS else _LEVELS - 1)]
    kept.sort(key=_by_number)
    names = [_label(level) for level in kept] + ([_OTHERS] if len(counts) > len(kept) else [])
    place = {level: i for i, level in enumerate(kept)}
    return names, np.array([place.get(level, len(kept)) for level in levels])


def _by_number(level: str) -> tuple[int, float, str]:
    try:
        return 0, float(level), level
    except ValueError:
        return 1, 0.0, level


def _points(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    rows = np.random.default_rng(0).permutation(len(x))[:_POINTS]
    axes.scatter(x[rows], y[rows], s=11, color=TRUE, alpha=0.45, linewidths=0)
    axes.set_xlim(_limits(x))
    axes.set_ylim(_limits(y))
    axes.grid(visible=True, axis="both")


def _limits(values: np.ndarray) -> Any:
    """The range of nearly all values, so that one outlier does not press the others into a line."""
    if values.dtype == object:  # times
        return None
    low, high = np.percentile(values, [_EDGE, 100 - _EDGE])
    if values.max() - values.min() < 3 * (high - low):
        low, high = values.min(), values.max()
    room = 0.04 * (high - low) or 1.0
    return low - room, high + room


def _strips(axes: Axes, levels: np.ndarray, values: np.ndarray) -> None:
    """For each level some of its points, its middle half and its median."""
    names, place = _grouped(levels)
    rng = np.random.default_rng(0)
    for i in range(len(names)):
        own = values[place == i]
        some = own[rng.permutation(len(own))[:_STRIP]]
        axes.scatter(some, i + rng.uniform(-0.3, 0.3, len(some)), s=10, color=TRUE, alpha=0.4, linewidths=0)
        if own.dtype != object:
            low, middle, high = np.percentile(own, [25, 50, 75])
            axes.add_patch(Rectangle((low, i - 0.36), high - low, 0.72, fill=False, edgecolor=INK, linewidth=1.2))
            axes.plot([middle, middle], [i - 0.36, i + 0.36], color=CHANCE, linewidth=2.4)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlim(_limits(values))
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.grid(visible=False, axis="y")
    axes.grid(visible=True, axis="x")


def _shares(axes: Axes, x: np.ndarray, y: np.ndarray) -> None:
    """For each level of x the shares of the levels of y among its rows."""
    (rows, i), (columns, j) = _grouped(x), _grouped(y)
    counts = np.bincount(i * len(columns) + j, minlength=len(rows) * len(columns)).reshape(len(rows), len(columns))
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    for a in range(len(rows)):
        for b in range(len(columns)):
            share = float(shares[a, b])
            corner = (b - 0.48, a - 0.48)
            axes.add_patch(Rectangle(corner, 0.96, 0.96, facecolor=PAPER, edgecolor=GRID, linewidth=0.6))
            axes.add_patch(Rectangle(corner, 0.96, 0.96, facecolor=TRUE, edgecolor="none", alpha=round(share, 2)))
            axes.text(b, a, f"{share:.0%}", ha="center", va="center", color=PAPER if share > 0.55 else INK, fontsize=9)
    tilted = max(map(len, columns)) * len(columns) > 36
    axes.set_xticks(range(len(columns)), columns, rotation=35 if tilted else 0, ha="right" if tilted else "center")
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.tick_params(length=0, labelcolor=INK)
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(False)
