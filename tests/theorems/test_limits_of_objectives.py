"""Limits and orderings of the contrastive family: where each becomes InfoNCE, or zero, and what a constant critic scores."""

from __future__ import annotations

from math import log

import pytest
import torch
from torch.nn.functional import normalize

from infomax.objectives import (
    angular,
    debiased,
    decoupled,
    hard_negative,
    info_nce,
    margin_contrastive,
    matryoshka,
    n_pair,
    negative_sampling,
    nt_xent,
    sigmoid,
    smoothed,
    soft_targets,
    supervised_contrastive,
    triplet,
    uniformity,
)
from infomax.scores import Scores

N = 8
RNG = torch.Generator().manual_seed(3)
A, B = (normalize(torch.randn(N, 4, generator=RNG, dtype=torch.float64), dim=1) for _ in "ab")
S = Scores(A, B, temperature=0.3)
ZERO = torch.zeros(N, 4, dtype=torch.float64)
FLAT = Scores(ZERO, ZERO, temperature=0.3)
LABELS, ITEMS = torch.arange(N) // 2, torch.arange(N)

INFO_NCE = {
    "debiased, no true pair among the negatives": lambda: debiased(S, 0.0),
    "hard negatives, all alike": lambda: hard_negative(S, 0.0),
    "hard negatives, nearly alike": lambda: hard_negative(S, 1e-9),
    "targets on the true pairs": lambda: soft_targets(A, B, torch.eye(N).double(), temperature=0.3),
    "no smoothing": lambda: smoothed(S, 0.0),
    "one true pair a label, outer": lambda: supervised_contrastive(
        Scores(A, B, temperature=0.3, positives=(ITEMS, ITEMS))
    ),
    "one true pair a label, inner": lambda: supervised_contrastive(
        Scores(A, B, temperature=0.3, positives=(ITEMS, ITEMS)), placement="inner"
    ),
    "the only prefix is the whole": lambda: matryoshka(info_nce, A, B, (4,), temperature=0.3),
    "n-pair at unit temperature": lambda: n_pair(A / 0.3, B, regularisation=0.0),
}


@pytest.mark.parametrize("limit", INFO_NCE)
def test_limits_that_are_info_nce(limit):
    torch.testing.assert_close(INFO_NCE[limit](), info_nce(S), rtol=1e-6, atol=1e-6)


def test_the_corrections_are_continuous_at_zero():
    for step in (1e-3, 1e-5):
        gap = (debiased(S, step) - info_nce(S)).abs().max()
        harder = (hard_negative(S, step) - info_nce(S)).abs().max()
        assert 0 < gap < 100 * step
        assert 0 < harder < 10 * step


def test_harder_weights_cost_more_up_to_the_hardest_negative():
    losses = torch.stack([hard_negative(S, beta) for beta in (0.0, 0.5, 2.0, 8.0, 2000.0)])
    assert (losses.diff(dim=0) >= 0).all()
    hardest = S.hardest()[0].squeeze(1)
    want = torch.log1p((N - 1) * (hardest - S.positive()).exp())
    torch.testing.assert_close(losses[-1], want, rtol=1e-6, atol=1e-6)


def test_decoupled_is_info_nce_without_its_logit_and_unbounded_below():
    torch.testing.assert_close(torch.nn.functional.softplus(decoupled(S)), info_nce(S))
    assert decoupled(Scores(A, A, temperature=0.01)).max() < -1  # log C less this would exceed log C
    even = Scores(A, A, temperature=0.3)  # all true pairs alike: their weights are 1
    torch.testing.assert_close(decoupled(even, sigma=0.5), decoupled(even))


def test_the_inner_placement_is_at_most_the_outer_one():
    scores = Scores(A, A, temperature=0.3, positives=(LABELS // 2, LABELS // 2), anchor_ids=ITEMS, candidate_ids=ITEMS)
    inner, outer = (supervised_contrastive(scores, placement=p) for p in ("inner", "outer"))
    assert (inner < outer).all()


def test_the_sigmoid_loss_is_negative_sampling_and_its_optimum_is_shifted_pointwise_information():
    torch.testing.assert_close(sigmoid(S), negative_sampling(S))
    joint = torch.tensor([[0.2, 0.1, 0.05], [0.05, 0.3, 0.3]], dtype=torch.float64)
    chance, k = joint.sum(1, keepdim=True) * joint.sum(0), 7
    s = (joint / chance).log() - log(k)  # PMI - log k
    s.requires_grad_()
    column = torch.zeros(6, dtype=torch.int64)
    # one true and one chance cell a row; the other cell of each row lies where it costs nothing
    true = sigmoid(
        Scores.from_dense(torch.stack([s.flatten(), torch.full((6,), -800.0).double()], 1), positives=column)
    )
    false = sigmoid(
        Scores.from_dense(torch.stack([torch.full((6,), 800.0).double(), s.flatten()], 1), positives=column)
    )
    loss = (joint.flatten() * true + k * chance.flatten() * false).sum()
    (slope,) = torch.autograd.grad(loss, s)
    torch.testing.assert_close(slope, torch.zeros_like(slope), atol=1e-12, rtol=0)


def test_triplet_vanishes_where_the_margin_is_met_and_orders_its_kinds():
    easy = Scores(A, A)  # the true pair has cosine 1
    assert (easy.hardest()[0] < 1).all()
    for kind in ("all", "hardest", "semi-hard"):
        torch.testing.assert_close(triplet(easy, 0.0, negatives=kind), torch.zeros(N, dtype=torch.float64))
    assert (triplet(S, 0.5) <= triplet(S, 0.5, negatives="hardest")).all()
    assert (triplet(S, 0.0, negatives="semi-hard") == 0).all()  # nothing lies within no margin
    assert (triplet(S, 0.5, negatives="semi-hard") <= 0.5).all()
    far = 100.0  # a margin that no negative meets: the mean excess
    mean = (S.dense().sum(1) - S.positive()) / (N - 1)
    torch.testing.assert_close(triplet(S, far), far + mean - S.positive())


def test_a_margin_that_no_negative_enters_leaves_the_true_pairs_alone():
    d = (A[:, None] - B).norm(dim=2)
    margin = float(d.min()) / 2
    torch.testing.assert_close(margin_contrastive(A, B, margin), d.diagonal().square() / 2)


ANCHORS = {
    "decoupled": (lambda: decoupled(FLAT), log(N - 1)),
    "debiased": (lambda: debiased(FLAT, 0.2), log(N)),
    "hard_negative": (lambda: hard_negative(FLAT, 1.0, tau_plus=0.2), log(N)),
    "nt_xent": (lambda: nt_xent(ZERO, ZERO), log(2 * N - 1)),
    "sigmoid": (lambda: sigmoid(FLAT), N * log(2)),
    "triplet": (lambda: triplet(FLAT, 0.3), 0.3),
    "triplet, semi-hard": (lambda: triplet(FLAT, 0.3, negatives="semi-hard"), 0.0),  # none scores below the true pair
    "margin_contrastive": (lambda: margin_contrastive(ZERO, ZERO, 2.0), 2.0),
    "n_pair": (lambda: n_pair(ZERO, ZERO), log(N)),
    "angular": (lambda: angular(ZERO, ZERO), log(N)),
    "smoothed": (lambda: smoothed(FLAT), log(N)),
    "uniformity": (lambda: uniformity(ZERO), 0.0),
}


@pytest.mark.parametrize("name", ANCHORS)
def test_a_constant_critic_scores_what_the_documents_say(name):
    losses, want = ANCHORS[name][0](), ANCHORS[name][1]
    torch.testing.assert_close(losses, torch.full_like(losses, want))
