"""The example of noise-contrastive estimation at small settings; and the page that tells of it runs."""

from __future__ import annotations

import doctest
from pathlib import Path

ROOT = Path(__file__).parents[2]


EXAMPLE = "nce_gaussian"


def test_errors_fall_with_observations_and_lie_where_they_are_said_to(example, monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(example, "SIZES", (100, 1000))
    monkeypatch.setattr(example, "NUS", (5,))
    path = tmp_path / "errors.svg"
    for found in example.main(worlds=3, seed=0, path=str(path)).values():
        for how in (5, "MLE"):
            assert found[how, 1000][0] < 0.7 * found[how, 100][0]
        assert 0.5 < found[5, 1000][0] / found[5, 1000][1] < 2
    assert "nu = 5 (as it says)" in capsys.readouterr().out
    assert path.read_text().startswith("<?xml")


def test_the_guide_runs_as_written():
    found = doctest.testfile(str(ROOT / "docs" / "guides" / "densities.md"), module_relative=False)
    assert found.attempted >= 10
    assert found.failed == 0
