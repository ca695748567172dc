"""The standard error of the bound: a derivative that autograd confirms, a jackknife that agrees, a coverage that holds."""

from __future__ import annotations

import re
import sys
from math import log, sqrt
from pathlib import Path

import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))
from worlds import best_scores, gaussian_pairs, information

from infomax import bounds
from infomax.errors import InputError
from infomax.scores import Scores


def weighted_value(s: Tensor, w: Tensor) -> Tensor:
    """The bound of a sample in which pair k has the weight w_k, as row and as candidate; w = 1/n is the sample itself."""
    w = w / w.sum()
    return (w * (s.diagonal() - torch.logsumexp(s + w.log(), 1))).sum()


def world(n: int, seed: int = 0, d: int = 2, rho: float = 0.8) -> tuple[Tensor, Tensor]:
    return gaussian_pairs(n, d, rho, torch.Generator().manual_seed(seed))


def sample(n: int, seed: int = 0, backend: str = "auto") -> Scores:
    return best_scores(*world(n, seed), 0.8, backend)


@pytest.mark.parametrize("backend", ["dense", "streamed", "a matrix", "another order", "row offset"])
def test_it_is_the_derivative_in_the_weights_of_the_pairs(backend):
    """The influence function by its definition (Hampel 1974), differentiated by autograd rather than on paper."""
    scores = sample(150, backend="auto" if " " in backend else backend)
    s = scores.dense()
    weights = torch.full((150,), 1 / 150, dtype=torch.float64, requires_grad=True)
    (influence,) = torch.autograd.grad(weighted_value(s, weights), weights)
    want = float((influence.square().sum() / 149 / 150).sqrt())
    order = torch.randperm(150, generator=torch.Generator().manual_seed(1))
    if backend == "a matrix":
        scores = Scores.from_dense(s)
    elif backend == "another order":
        scores = Scores(scores.anchors, scores.candidates[order], positives=order.argsort(), backend="streamed")
    elif backend == "row offset":
        scores = Scores(scores.anchors, scores.candidates, row_offset=torch.linspace(-9, 9, 150).double())
    assert bounds.info_nce(scores).standard_error == pytest.approx(want, rel=1e-9)


def test_it_agrees_with_the_jackknife():
    """Leave one pair out, as row and as candidate. The two differ by O(1/n): 5 % is allowed at n = 150."""
    s, n = sample(150).dense(), 150
    keep = [torch.arange(n) != k for k in range(n)]
    left = torch.tensor([log(n - 1) - float((s[i][:, i].logsumexp(1) - s[i][:, i].diagonal()).mean()) for i in keep])
    jackknife = float(((left - left.mean()).square().sum() * (n - 1) / n).sqrt())
    assert bounds.info_nce(Scores.from_dense(s)).standard_error == pytest.approx(jackknife, rel=0.05)


def test_it_agrees_with_the_bootstrap_over_pairs():
    """Multinomial weights on the pairs. A spread over 1,000 draws has a relative error of 1/sqrt(2000): 4 of them."""
    s, rng = sample(150).dense(), torch.Generator().manual_seed(2)
    draws = torch.multinomial(torch.ones(1000, 150), 150, replacement=True, generator=rng)
    counts = torch.zeros(1000, 150, dtype=torch.float64).scatter_add_(1, draws, torch.ones(1000, 150).double())
    spread = float(torch.stack([weighted_value(s, w) for w in counts]).std())
    assert bounds.info_nce(Scores.from_dense(s)).standard_error == pytest.approx(spread, rel=4 / sqrt(2000) + 0.03)


def test_the_lower_limit_covers_as_often_as_it_says():
    """400 samples of a Gaussian world: value - 1.645 standard errors lies below the expected value in at least 95 % of them,
    less 3 binomial standard errors, and below the information no less often. The mean value is below the information."""
    times, n, truth = 400, 100, information(2, 0.8)
    found = [bounds.info_nce(sample(n, seed=seed)) for seed in range(times)]
    values = torch.tensor([f.value for f in found], dtype=torch.float64)
    errors = torch.tensor([f.standard_error for f in found], dtype=torch.float64)
    limits = values - 1.645 * errors
    least = 0.95 - 3 * sqrt(0.05 * 0.95 / times)
    assert float((limits <= values.mean()).double().mean()) >= least
    assert float((limits <= truth).double().mean()) >= least
    spread = float(values.std())
    assert float(values.mean()) <= truth + 3 * spread / sqrt(times)
    assert float(values.mean()) >= truth - 0.15
    assert float(errors.mean()) == pytest.approx(spread, rel=4 / sqrt(2 * times))


def test_candidates_that_are_not_the_pairs_count_as_fixed():
    """Where candidates stand apart from the rows, or are shared by them, only the rows are a sample."""
    a, b = world(40)
    apart = {
        "beyond": Scores(a[:30], b),
        "shared": Scores(a, b, positives=torch.arange(40) // 2),
        "own": Scores(a, b.flip(0), positives=b),
        "labels": Scores(a, b, positives=(torch.arange(40) // 2, torch.arange(40) // 2)),
        "negatives": Scores(a, b, negatives=b.flip(0)[:, None]),
    }
    for name, scores in apart.items():
        losses = scores.cross_entropy()
        want = float(losses.std()) / sqrt(len(losses))
        assert bounds.info_nce(scores).standard_error == pytest.approx(want, rel=1e-9), name


def test_groups_are_what_is_independent():
    """A sample in which every pair stands three times tells no more than the sample: same value, same standard error."""
    x, y = world(60)
    once = bounds.info_nce(best_scores(x, y, 0.8))
    thrice = best_scores(x.repeat(3, 1), y.repeat(3, 1), 0.8)
    groups = 7 * torch.arange(60).repeat(3) - 90
    grouped = bounds.info_nce(thrice, groups=groups)
    assert grouped.value == pytest.approx(once.value, abs=1e-12)
    assert grouped.standard_error == pytest.approx(once.standard_error, rel=1e-9)
    assert bounds.readout(thrice, groups=groups).standard_error == pytest.approx(once.standard_error, rel=1e-9)
    assert bounds.info_nce(thrice).standard_error == pytest.approx(once.standard_error / sqrt(3), rel=0.02)


def test_groups_of_one_change_nothing_and_one_group_says_nothing():
    scores = sample(40)
    plain = bounds.info_nce(scores).standard_error
    assert bounds.info_nce(scores, groups=range(40)).standard_error == pytest.approx(plain, rel=1e-12)
    assert bounds.info_nce(scores, groups=torch.randperm(40) - 20).standard_error == pytest.approx(plain, rel=1e-12)
    alone = bounds.info_nce(scores, groups=[5] * 40).standard_error
    assert alone != alone


@pytest.mark.parametrize("groups", [[0, 1], torch.zeros(40, 1).long()], ids=["too few", "a matrix"])
def test_groups_that_do_not_fit_are_refused(groups):
    shape = re.escape(str(tuple(torch.as_tensor(groups).shape)))
    with pytest.raises(InputError, match=rf"groups must have one entry a row, \(40,\); got {shape}"):
        bounds.info_nce(sample(40), groups=groups)
