"""The example at small settings: what the members of a pair share is kept, the rest is not; and the page of views runs."""

from __future__ import annotations

import doctest
from pathlib import Path

import pytest
import torch
from sklearn.linear_model import LogisticRegression

ROOT = Path(__file__).parents[2]


EXAMPLE = "which_information"


@pytest.mark.slow
def test_the_choice_of_pairs_decides_what_is_kept(example, monkeypatch, capsys):
    """100 steps; probes that stop early. Chance is 0.10 and 0.17."""
    monkeypatch.setattr(example, "LogisticRegression", lambda **_: LogisticRegression(max_iter=300, tol=1e-2))
    rows = example.main(steps=100, seed=0)
    both, turned, digit, colour = (rows[name] for name in example.PAIRS)
    assert both["colour, probe"] > 0.95
    assert both["digit, probe"] > 0.4
    assert turned["colour, probe"] < 0.5 < 0.7 < turned["digit, probe"]
    assert digit["colour, probe"] < 0.5 < 0.8 < digit["digit, probe"]
    assert colour["digit, probe"] < 0.25 < 0.95 < colour["colour, probe"]
    assert turned["colour, nats"] < 0.5 * both["colour, nats"]
    assert digit["colour, nats"] < 0.5 * both["colour, nats"]
    assert colour["digit, nats"] < 0.4 * digit["digit, nats"]
    assert "chance: digit 0.10, colour 0.17" in capsys.readouterr().out


def test_digit_and_colour_tell_nothing_of_each_other_and_the_sets_share_no_picture(example):
    train, test = example.inked_digits(torch.Generator().manual_seed(0))
    assert len(train.x) + len(test.x) == 1797
    assert len(torch.unique(torch.cat([train.x, test.x]).flatten(1), dim=0)) == 1797
    table = torch.zeros(10, 6).index_put_((train.digit, train.colour), torch.ones(1), accumulate=True)
    expected = table.sum(1, keepdim=True) * table.sum(0) / table.sum()
    chi_square = float(((table - expected) ** 2 / expected).sum())
    assert chi_square == pytest.approx(45, abs=4 * 90**0.5)  # 45 degrees of freedom


def test_the_guide_runs_as_written():
    found = doctest.testfile(str(ROOT / "docs" / "guides" / "candidates.md"), module_relative=False)
    assert found.attempted >= 10
    assert found.failed == 0
