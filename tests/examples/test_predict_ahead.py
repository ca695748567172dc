"""The example of contrastive predictive coding: its truth, and that what it reads lies below it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

EXAMPLE = "predict_ahead"


def test_the_covariance_is_that_of_the_process(example):
    heard, state = example.tones(20_000, torch.Generator().manual_seed(0))
    past, ahead, last = 3, 2, 10
    rows = torch.cat([heard[:, last - past : last, 0], heard[:, last - 1 + ahead], state[:, last - 1]], 1)
    known = example.covariance(past, ahead)
    error = np.sqrt((known**2 + np.outer(np.diag(known), np.diag(known))) / len(rows))  # of a Gaussian's covariance
    assert (np.abs(np.cov(rows.T.numpy()) - known) < 4 * error).all()


def test_more_of_the_past_tells_more_and_far_moments_less(example):
    for past in (1, 4, 16):
        assert example.truth(past, 2) < example.truth(past + 1, 2)
        assert example.best_share(past) < example.best_share(past + 1)
    assert example.truth(28, 1) > example.truth(28, 2) > example.truth(28, 3)


def test_bounds_lie_below_the_truth_and_the_context_knows_more_than_the_moment(example, capsys):
    found = example.main(steps=40, seed=0)
    for ahead in range(1, example.STEPS + 1):
        assert found[f"bound {ahead}"] < found[f"truth {ahead}"] + 3 * found[f"error {ahead}"]
        assert found[f"bound {ahead}"] > 0.5 * found[f"truth {ahead}"]
    assert found["bound 3"] > found["moment 3"] + 10 * found["error 3"]
    assert found["state from moment"] + 0.3 < found["state from context"] < found["state, best filter"] + 0.02
    assert "2000 sequences held out" in capsys.readouterr().out


def test_one_seed_one_result(example):
    first, second = (example.train(1, torch.Generator().manual_seed(3))[1] for _ in "12")
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)
    assert pytest.approx(example.truth(1, 1)) == -0.5 * np.log1p(
        -((example.TURNING[0, 0] / (1 + example.NOISE**2)) ** 2)
    )
