"""The drawings: what is drawn is what was measured."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from math import log

import numpy as np
import pytest

from infomax.report import figures


def _width(drawn: str, bar: str) -> float:
    """Width of a path that matplotlib drew as a rectangle."""
    (path,) = re.findall(rf'id="[a-z]+-{bar}">\s*<path d="([^"]*)"', drawn)
    across = [float(x) for x in re.findall(r"[ML] (\S+) \S+", path)]
    return max(across) - min(across)


def _words(drawn: str) -> list[str]:
    return [word.strip() for word in re.findall(r"<text[^>]*>([^<]*)</text>", drawn)]


@pytest.mark.parametrize("share", [0.25, 0.9])
def test_the_bar_is_to_its_ceiling_as_the_bound_is(with_readout, share):
    drawn = figures.information_figure(with_readout(bound=share * log(1024)).evaluation.readout)
    ceiling, bar = _width(drawn, "ceiling"), _width(drawn, "bound")
    assert bar / ceiling == pytest.approx(share, abs=2e-3)
    assert f"{10 * share:.2f}" in _words(drawn)


def test_the_whisker_spans_1_96_standard_errors_each_way(with_readout):
    drawn = figures.information_figure(with_readout(standard_error=0.5).evaluation.readout)
    (path,) = re.findall(r'id="information-LineCollection_1">\s*<path d="([^"]*)"', drawn)
    ends = [float(x) for x in re.findall(r"[ML] (\S+) \S+", path)]
    assert abs(ends[1] - ends[0]) / _width(drawn, "ceiling") == pytest.approx(2 * 1.96 * 0.5 / log(1024), rel=1e-3)


def test_a_negative_bound_is_drawn_below_zero(with_readout):
    drawn = figures.information_figure(with_readout(bound=-0.5, saturation=-0.07).evaluation.readout)
    assert "-0.72" in _words(drawn)
    assert _width(drawn, "bound") == pytest.approx(0.5 / log(1024) * _width(drawn, "ceiling"), rel=1e-3)


def test_every_retrieval_bar_carries_its_figure(result):
    words = _words(figures.retrieval_figure(result.evaluation))
    for figure in ("0.41", "0.65", "0.76", "0.52", "0.32", "0.55", "0.61", "0.42", "0.24", "0.49", "0.33"):
        assert figure in words
    assert {"fitted", "BM25", "untrained"} <= set(words)


def test_the_validation_curve_names_its_ceiling(result):
    assert "ceiling log C = 10.00" in _words(figures.validation_figure(result.history))


def test_a_histogram_holds_every_finite_score(result):
    evaluation = replace(result.evaluation, positive_scores=[1.0, 2.0, float("nan")], negative_scores=[])
    assert figures.finite(evaluation.positive_scores).tolist() == [1.0, 2.0]
    words = _words(figures.score_figure(evaluation))
    assert "true pairs" in words
    assert "chance pairs" not in words


def test_a_series_keeps_steps_beside_their_values():
    history = [{"step": s, "loss": float(s**2)} for s in range(5)]
    history += [{"step": 5, "loss": float("nan")}, {"step": 6, "other": 1.0}]
    steps, values = figures.series(history, "loss")
    assert steps.tolist() == [0, 1, 2, 3, 4]
    assert values.tolist() == [0, 1, 4, 9, 16]
    assert len(figures.series(history, "absent")[0]) == 0


def test_a_long_series_is_averaged_not_thinned():
    values = np.random.default_rng(0).normal(size=20_000)
    steps, means = figures.series([{"step": s, "loss": v} for s, v in enumerate(values.tolist())], "loss")
    assert len(means) == 400
    assert means.mean() == pytest.approx(values.mean())
    assert (np.diff(steps) > 0).all()


def test_drawing_leaves_pyplot_alone():
    code = "import sys, infomax.report; sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
