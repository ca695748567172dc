"""The objectives of the bounds: streamed as dense, gradients, numbers at the edges, and MINE's moving average."""

from __future__ import annotations

import sys
from math import log
from pathlib import Path

import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1] / "scores"))
from problems import problems

from infomax import objectives
from infomax.errors import InputError
from infomax.objectives import MineLoss
from infomax.scores import Scores


def ramp(n: int) -> Tensor:
    return torch.linspace(-0.5, 1.0, n, dtype=torch.float64)


OBJECTIVES = {
    "donsker_varadhan": lambda s, a: objectives.donsker_varadhan(s),
    "mine": lambda s, a: objectives.mine(s, 0.0) * (1 + a),
    "nwj": lambda s, a: objectives.nwj(s),
    "tuba": objectives.tuba,
    "flo": objectives.flo,
    "interpolated": lambda s, a: objectives.interpolated(s, a, alpha=0.3),
    "jensen_shannon": lambda s, a: objectives.jensen_shannon(s),
    "smile": lambda s, a: objectives.smile(s, clip=0.8),
    "barber_agakov": lambda s, a: objectives.barber_agakov(s),
    "club": lambda s, a: objectives.club(s),
    "leave_one_out": lambda s, a: objectives.leave_one_out(s),
    "rate": objectives.rate,
}


def refused(name: str, kind: str, options: dict) -> bool:
    """Those that compare a true column with other columns, or rows, want one of each pair, and nothing left out."""
    positives = options.get("positives")
    plain = positives is None or (isinstance(positives, Tensor) and positives.ndim == 1)
    if name not in ("interpolated", "leave_one_out"):
        return False
    if not plain or "anchor_ids" in options:
        return True
    return "negatives" in options if name == "interpolated" else kind == "shared columns"


@pytest.mark.parametrize("kind", problems())
@pytest.mark.parametrize("name", OBJECTIVES)
def test_streamed_is_dense(name, kind):
    """Values and gradients of every kind of scores that the objective takes; the others are refused by both forms."""
    found = []
    for backend in ("dense", "streamed"):
        problem = problems()[kind]
        a = ramp(len(problem.anchors)).requires_grad_()
        if refused(name, kind, problem.options):
            with pytest.raises(InputError):
                OBJECTIVES[name](problem.scores(backend), a)
            continue
        losses = OBJECTIVES[name](problem.scores(backend), a)
        assert losses.shape == (21,)
        weighted = (losses * torch.linspace(0.5, 1.5, 21, dtype=torch.float64)).sum()
        slopes = torch.autograd.grad(weighted, [*problem.leaves(), a], allow_unused=True, materialize_grads=True)
        found.append((losses, slopes))
    for one, other in zip(*found, strict=True) if found else ():
        torch.testing.assert_close(one, other, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("backend", ["dense", "streamed"])
@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name != "mine"])
def test_gradients_by_finite_differences(name, backend):
    """float64, in anchors, candidates, temperature and what stands beside the scores."""
    rng = torch.Generator().manual_seed(4)
    a, b = (torch.randn(5, 3, generator=rng, dtype=torch.float64).requires_grad_() for _ in "ab")
    t = torch.tensor(1.3, dtype=torch.float64, requires_grad=True)
    beside = ramp(5).requires_grad_()

    def losses(a: Tensor, b: Tensor, t: Tensor, beside: Tensor) -> Tensor:
        return OBJECTIVES[name](Scores(a, b, temperature=t, backend=backend), beside)

    assert torch.autograd.gradcheck(losses, (a, b, t, beside))


@pytest.mark.parametrize("backend", ["dense", "streamed"])
def test_scores_far_out_keep_their_digits(backend):
    """exp of a score of 300 is past float32; logs and differences of it are not."""
    a = torch.ones(4, 1)
    scores = Scores(a, a, row_offset=torch.full((4,), 299.0), backend=backend)
    torch.testing.assert_close(objectives.donsker_varadhan(scores), torch.zeros(4))
    torch.testing.assert_close(objectives.tuba(scores, 300.0), torch.zeros(4))
    torch.testing.assert_close(objectives.flo(scores, 0.0), torch.zeros(4))
    torch.testing.assert_close(objectives.interpolated(scores, 300.0), torch.zeros(4))
    torch.testing.assert_close(objectives.jensen_shannon(scores), torch.full((4,), 300.0))
    torch.testing.assert_close(objectives.smile(scores, clip=200.0), torch.full((4,), -100.0))
    torch.testing.assert_close(objectives.club(scores), torch.zeros(4))
    torch.testing.assert_close(objectives.leave_one_out(scores), torch.zeros(4))


def random_scores(seed: int, shift: float = 0.0) -> Scores:
    a, b = torch.randn(2, 6, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return Scores(a.requires_grad_(), b, row_offset=torch.full((6,), shift, dtype=torch.float64))


def normaliser(scores: Scores) -> Tensor:
    s = scores.dense().detach()
    return s[~torch.eye(6, dtype=torch.bool)].exp().mean()


def test_the_moving_average_is_that_of_the_means_of_exp():
    """First batch as it is, then (1 - rate)·old + rate·new, whatever the size of the numbers (here e^±800)."""
    for shift in (0.0, 800.0, -800.0):
        loss, average = MineLoss(rate=0.25), None
        for seed in range(4):
            value = loss(random_scores(seed, shift))
            assert float(value.detach()) == pytest.approx(
                float(objectives.donsker_varadhan(random_scores(seed, shift)).mean().detach()), abs=1e-9
            )
            newest = float(normaliser(random_scores(seed)))
            average = newest if average is None else 0.75 * average + 0.25 * newest
            assert float(loss.log_average) == pytest.approx(log(average) + shift, rel=1e-12, abs=1e-12)


def test_its_gradient_is_the_mean_over_the_average():
    """MINE, section 3.2: d/dθ E[e^s] over the average, instead of over the batch's own mean."""
    loss = MineLoss(rate=0.1)
    loss(random_scores(0))
    scores = random_scores(1)
    (slope,) = torch.autograd.grad(loss(scores), scores.anchors)
    again = random_scores(1)
    s = again.anchors @ again.candidates.T
    off = ~torch.eye(6, dtype=torch.bool)
    average = 0.9 * normaliser(random_scores(0)) + 0.1 * normaliser(random_scores(1))
    (want,) = torch.autograd.grad(s[off].exp().mean() / average - s.diagonal().mean(), again.anchors)
    torch.testing.assert_close(slope, want, rtol=1e-9, atol=1e-12)


def test_the_average_is_saved_and_rests_in_eval_mode():
    loss, other = MineLoss(rate=0.5), MineLoss(rate=0.5)
    loss(random_scores(0))
    other.load_state_dict(loss.state_dict())
    assert torch.equal(other.log_average, loss.log_average)
    loss.eval()
    plain = objectives.donsker_varadhan(random_scores(1)).mean()
    torch.testing.assert_close(loss(random_scores(1)), plain)
    assert torch.equal(other.log_average, loss.log_average)
    assert repr(loss) == "MineLoss(rate=0.5)"


def test_a_rate_of_one_is_the_plain_gradient():
    loss, scores, again = MineLoss(rate=1.0), random_scores(2), random_scores(2)
    loss(random_scores(0))
    (slope,) = torch.autograd.grad(loss(scores), scores.anchors)
    (want,) = torch.autograd.grad(objectives.donsker_varadhan(again).mean(), again.anchors)
    torch.testing.assert_close(slope, want)


@pytest.mark.parametrize("rate", [0.0, 1.5, -0.1])
def test_rates_that_make_no_average_are_refused(rate):
    with pytest.raises(InputError, match="rate must lie in"):
        MineLoss(rate=rate)
