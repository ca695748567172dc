"""The example removes what it says it removes, at small settings; and the page that tells of it runs."""

from __future__ import annotations

import doctest
from pathlib import Path

import torch
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).parents[2]


EXAMPLE = "remove_nuisance"


def test_the_light_goes_and_the_digit_stays(example, monkeypatch, capsys):
    """100 steps, cheap probes in the place of networks: the light is plain without CLUB, and largely gone with it."""
    monkeypatch.setattr(example, "MLPClassifier", lambda *_, **__: LogisticRegression(max_iter=500, tol=1e-2))
    monkeypatch.setattr(example, "LogisticRegression", lambda **_: LogisticRegression(max_iter=500, tol=1e-2))
    rows = example.main(steps=100, weight=10.0, seed=0)
    plain, removed = rows["vectors, weight 0"], rows["vectors, weight 10"]
    assert plain["light, linear"] > 0.95
    assert removed["light, linear"] < 0.75
    assert removed["light, nats"] < 0.6 * plain["light, nats"]
    assert removed["digit, linear"] > plain["digit, linear"] - 0.05
    assert "chance: digit 0.10, light 0.25" in capsys.readouterr().out


def test_the_two_sets_share_no_picture(example):
    train, test = example.lit_digits(torch.Generator().manual_seed(0))
    assert len(train.x) + len(test.x) == 1797
    assert len(torch.unique(torch.cat([train.x, test.x]), dim=0)) == 1797
    assert sorted(torch.unique(train.light).tolist()) == [0, 1, 2, 3]


def test_the_guide_runs_as_written():
    found = doctest.testfile(str(ROOT / "docs" / "guides" / "bounds.md"), module_relative=False)
    assert found.attempted >= 10
    assert found.failed == 0
