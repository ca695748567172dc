"""Matplotlib figures as inline SVG that takes its colours and its letters from the page around it.

Matplotlib draws in marker colours, which are then replaced by the page's CSS variables: one drawing serves light mode,
dark mode and paper. Figures are plain `Figure` objects, never pyplot's, so that nothing stays open and no backend is
chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

INK, MUTED, GRID, PAPER = "#000101", "#000102", "#000103", "#000104"
TRUE, CHANCE, PLAIN = "#000105", "#000106", "#000107"  # true pairs and fitted; chance pairs and BM25; untrained
_VARIABLES = {
    INK: "--ink",
    MUTED: "--muted",
    GRID: "--grid",
    PAPER: "--paper",
    TRUE: "--true",
    CHANCE: "--chance",
    PLAIN: "--plain",
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "infomax",
    "font.size": 11,
    "text.color": INK,
    "text.parse_math": False,  # names of columns may hold dollar signs
    "axes.labelcolor": MUTED,
    "axes.edgecolor": GRID,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "xtick.color": GRID,
    "ytick.color": GRID,
    "xtick.labelcolor": MUTED,
    "ytick.labelcolor": MUTED,
    "hatch.linewidth": 1.2,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.solid_capstyle": "round",
}


@contextmanager
def drawing(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure of `width` x `height` inches with one pair of axes, drawn in the report's style inside the block."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure, figure.add_subplot()


def svg(figure: Figure, name: str, description: str) -> str:
    """The figure as an <svg> element: colours as CSS variables, identifiers prefixed by `name`, no address of any kind.

    `name` and `description` are the report's own words (plain ASCII without markup).
    """
    buffer = StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    drawn = buffer.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<metadata>.*?</metadata>", "", drawn, flags=re.DOTALL)
    drawn = re.sub(r"<svg[^>]*?viewBox=\"([^\"]*)\"[^>]*>", _opening(description), drawn, count=1)
    drawn = re.sub(r'\bid="', f'id="{name}-', drawn)
    drawn = drawn.replace("url(#", f"url(#{name}-").replace('xlink:href="#', f'href="#{name}-')
    drawn = re.sub(r"'DejaVu Sans'[^;\"]*", "system-ui, sans-serif", drawn)
    for colour, variable in _VARIABLES.items():
        drawn = drawn.replace(colour, f"var({variable})")
    return drawn.strip()


def _opening(description: str) -> str:
    return rf'<svg viewBox="\1" role="img" aria-label="{description}">'
