"""Density ratios: direct, by a network, by telescoping; conditional NCE. Gaussians and small alphabets know the answer."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch import nn

import infomax
from infomax.errors import InputError
from infomax.unnormalised import conditional_nce, density_ratio, telescoped_log_ratio


def heaps(n, m, mean=1.0, scale=1.0, d=2, seed=0):
    """Rows of N(mean, scale²) and of N(0, 1), and log of their ratio."""
    rng = np.random.default_rng(seed)
    p, q = rng.normal(mean, scale, (n, d)), rng.normal(size=(m, d))
    return p, q, lambda x: (norm.logpdf(x, mean, scale) - norm.logpdf(x)).sum(1)


def test_the_ratio_of_gaussians_is_found_whatever_the_sizes():
    p, q, truth = heaps(2000, 8000, scale=0.7)
    ratio = infomax.density_ratio(p, torch.from_numpy(q))
    assert np.abs(ratio(p) - truth(p)).mean() < 0.1
    assert abs(np.mean(ratio(p) - truth(p))) < 0.1  # no prior odds left in it
    assert (ratio.n_p, ratio.held_out_p, ratio.n_q, ratio.held_out_q) == (1600, 400, 6400, 1600)


def test_the_score_is_the_jensen_shannon_divergence():
    p, q, truth = heaps(4000, 4000)
    big_p, big_q, _ = heaps(100_000, 100_000, seed=1)
    divergence = (np.log(2 / (1 + np.exp(-truth(big_p)))).mean() + np.log(2 / (1 + np.exp(truth(big_q)))).mean()) / 2
    ratio = density_ratio(p, q)
    assert abs(ratio.score - divergence) < 3.5 * ratio.score_error < 0.1
    assert not ratio.cautions


def test_equal_and_far_laws_are_named():
    p, q, _ = heaps(500, 500, mean=0.0)
    same = density_ratio(p, q)
    assert [kind for kind, _ in same.cautions] == ["nothing told apart"]
    far = density_ratio(p + 9, q)
    assert [kind for kind, _ in far.cautions] == ["far"]
    assert far.score <= log(2)
    assert "warning" in str(far)


def linear(width=2):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(width, 1), nn.Flatten(0))


def test_a_module_learns_the_ratio_too_and_keeps_its_best_step():
    p, q, truth = heaps(1000, 3000)
    ratio = density_ratio(p, q, model=linear(), steps=300, learning_rate=0.05)
    assert np.abs(ratio(p) - truth(p)).mean() < 0.25
    assert ratio.score > 0.1
    wild = density_ratio(p, q, model=linear(), steps=60, learning_rate=300.0)
    assert np.isfinite(wild(p)).all()


def test_the_score_is_of_rows_that_were_not_learned_from():
    """Equal laws, with more squares and products than rows: all is learned by heart, and no fixed ratio scores above 0."""
    p, q, _ = heaps(40, 40, mean=0.0, d=12)
    ratio = density_ratio(p, q)
    assert ratio.score < 3.5 * ratio.score_error


def test_the_step_that_is_best_on_rows_apart_is_kept():
    """Equal laws, more columns than rows: all that is learned is learned by heart, so of all looks the first is the best."""
    p, q, _ = heaps(60, 60, mean=0.0, d=60)
    first, last = (density_ratio(p, q, model=linear(60), steps=steps, learning_rate=0.05) for steps in (25, 200))
    assert np.array_equal(first(p), last(p))


def test_telescoping_beats_one_leap_to_a_far_law():
    p, q, truth = heaps(1000, 1200, mean=0.0, scale=0.05, d=4)
    errors = {k: np.abs(telescoped_log_ratio(p, q, bridges=k)(p) - truth(p)).mean() for k in (0, 8)}
    assert errors[8] < errors[0] / 4


def test_the_links_add_up_and_none_is_a_plain_ratio():
    p, q, _ = heaps(300, 300)
    rng = torch.Generator().manual_seed(0)
    several = telescoped_log_ratio(p, q, bridges=2, rng=rng, model=linear, steps=5)
    assert len(several.links) == 3
    np.testing.assert_allclose(several(p), sum(link(p) for link in several.links))
    (one,) = telescoped_log_ratio(p, q + 99, bridges=0).links
    assert one.cautions[0][0] == "far"
    assert "link 1 of 1" in telescoped_log_ratio(p, q + 99, bridges=0).cautions[0][1]


def test_laws_between_two_equal_ones_are_the_same_law():
    """√(1 - α²) x + α y has the law of x and y where these are normal: no link tells anything, in mean or in variance."""
    p, q, _ = heaps(4000, 4000, mean=0.0)
    for link in telescoped_log_ratio(p, q, bridges=1).links:
        assert abs(link.score) < 3.5 * link.score_error < 0.005


LAW = torch.tensor([0.4, 0.1, 0.2, 0.3], dtype=torch.float64)
WALK = torch.tensor(
    [[0.0, 0.5, 0.2, 0.3], [0.25, 0.25, 0.25, 0.25], [0.1, 0.6, 0.0, 0.3], [0.3, 0.3, 0.4, 0.0]], dtype=torch.float64
)  # row x: p(copy | x); not symmetric


def population_slope(walk, corrected):
    """Gradient of the exact expected conditional NCE loss at the truth, in the log-mass of each letter."""
    theta = (LAW.log() + 7).requires_grad_()  # any constant will do
    x, y = (letters.flatten() for letters in torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij"))
    live = walk[x, y] * walk[y, x] > 0
    x, y = x[live], y[live]
    there_and_back = (walk[x, y] / walk[y, x]).log().unsqueeze(1) if corrected else 0.0
    losses = conditional_nce(lambda letters: theta[letters.long()], x.double(), y.double().unsqueeze(1), there_and_back)
    ((LAW[x] * walk[x, y]) @ losses).backward()
    return theta.grad


def test_conditional_nce_is_stationary_at_the_truth_with_any_constant():
    symmetric = (WALK + WALK.T) / 2
    assert float(population_slope(symmetric, corrected=False).abs().max()) < 1e-12
    assert float(population_slope(WALK, corrected=True).abs().max()) < 1e-12
    assert float(population_slope(WALK, corrected=False).abs().max()) > 1e-3


def test_conditional_nce_learns_a_precision_and_a_flat_model_has_its_anchor():
    rng = torch.Generator().manual_seed(0)
    x = 2 * torch.randn(4000, generator=rng, dtype=torch.float64)
    noisy = x[:, None] + torch.randn(4000, 5, generator=rng, dtype=torch.float64)
    precision = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([precision], max_iter=50, line_search_fn="strong_wolfe")

    def closure():
        optimiser.zero_grad()
        loss = conditional_nce(lambda x: -precision * x**2 / 2, x, noisy).mean()
        loss.backward()
        return loss

    optimiser.step(closure)
    assert float(precision.detach()) == pytest.approx(0.25, abs=0.03)
    assert conditional_nce(torch.zeros_like, x, noisy).tolist() == pytest.approx([2 * log(2)] * 4000)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: density_ratio(np.ones((20, 2)), np.ones((20, 3))), "same kind"),
        (lambda: density_ratio(np.ones((20, 2)), np.ones((9, 2))), "at least 10"),
        (lambda: density_ratio([1.0, np.nan] * 10, np.ones(20)), "NaN"),
        (lambda: density_ratio("text", np.ones(20)), "numbers"),
        (lambda: density_ratio(np.ones(20), np.ones(20), held_out=0.5), "held_out"),
        (lambda: density_ratio(np.eye(20)[:, :2], np.eye(20)[:, :2])(np.ones((3, 3))), r"rows of shape \(2,\)"),
        (lambda: density_ratio(np.eye(20)[:, :2], np.eye(20)[:, :2])([1.0, 2.0]), r"rows of shape \(2,\)"),
        (lambda: telescoped_log_ratio(np.ones(20), np.ones(20), bridges=-1), "bridges"),
        (lambda: telescoped_log_ratio(np.ones((20, 2)), np.ones(20)), "same kind"),
        (lambda: telescoped_log_ratio(1.0, 2.0), "rows"),
        (lambda: conditional_nce(torch.zeros_like, torch.zeros(3), torch.zeros(4, 2)), "noisy"),
        (lambda: conditional_nce(torch.zeros_like, torch.zeros(3), torch.zeros(3, 0)), "noisy"),
    ],
)
def test_what_has_no_ratio_is_refused(wrong, says):
    with pytest.raises(InputError, match=says):
        wrong()
