"""The contrastive family: each value and gradient is that of the published definition written plainly, dense and streamed."""

from __future__ import annotations

from functools import partial
from math import e, radians, tan

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize, softplus

from infomax.errors import InputError
from infomax.objectives import (
    alignment,
    angular,
    barlow_twins,
    cosent,
    debiased,
    decoupled,
    hard_negative,
    info_nce,
    margin_contrastive,
    matryoshka,
    n_pair,
    nt_xent,
    sigmoid,
    smoothed,
    soft_targets,
    supervised_contrastive,
    triplet,
    two_views,
    uniformity,
    vicreg,
)
from infomax.scores import Scores, tiles

N, D = 11, 5
RNG = torch.Generator().manual_seed(0)
A, B = (normalize(torch.randn(N, D, generator=RNG, dtype=torch.float64), dim=1) for _ in "ab")
TARGETS = torch.rand(N, N, generator=torch.Generator().manual_seed(2), dtype=torch.float64).softmax(1)
TARGETS *= 0.9995  # rows sum to 1 but for rounding, as those of a teacher in half precision do
OFF = ~torch.eye(N, dtype=torch.bool)
LABELS = torch.tensor([0, 0, 1, 1, 1, 2, 2, 3, 3, 0, 2])
ITEMS = torch.arange(N)
TAU = torch.linspace(0.01, 0.9, N, dtype=torch.float64)


def negatives(s):
    """(N, N - 1) the cells off the diagonal."""
    return s[OFF].view(N, N - 1)


def plain_decoupled(a, b, t, sigma=None):
    s = a @ b.T / t
    w = torch.ones(N) if sigma is None else 2 - ((a * b).sum(1) / sigma).exp() / ((a * b).sum(1) / sigma).exp().mean()
    return -w * s.diagonal() + negatives(s).exp().sum(1).log()


def plain_supervised(a, b, t, placement):
    e_s, losses = (a @ b.T / t).exp(), []
    for i in range(N):
        others = [j for j in range(N) if j != i]
        true = [j for j in others if LABELS[j] == LABELS[i]]
        share = e_s[i, true] / e_s[i, others].sum()
        losses.append(-share.log().mean() if placement == "outer" else -share.mean().log())
    return torch.stack(losses)


def plain_nt_xent(a, b, t):
    z, losses = torch.cat([a, b]), []
    for i in range(2 * N):
        s = z[i] @ z.T / t
        others = [j for j in range(2 * N) if j != i]
        losses.append(-s[(i + N) % (2 * N)] + s[others].exp().sum().log())
    return torch.stack(losses)


def plain_debiased(a, b, t, tau, beta=0.0):
    s = a @ b.T / t
    p, n = s.diagonal().exp(), negatives(s).exp()
    mean = (n ** (beta + 1)).sum(1) / (n**beta).sum(1)
    g = torch.maximum((mean - tau * p) / (1 - tau), (-1 / t).exp())
    return -(p / (p + (N - 1) * g)).log()


def plain_sigmoid(a, b, t):
    s = a @ b.T / t
    return torch.where(OFF, softplus(s - 1.5), softplus(1.5 - s)).sum(1)


def plain_triplet(a, b, t, margin, kind):
    s, losses = a @ b.T / t, []
    for i in range(N):
        x = torch.stack([s[i, j] - s[i, i] + margin for j in range(N) if j != i])
        if kind == "semi-hard":
            x = x[(x > 0) & (x < margin)]
        x = x.max()[None] if kind == "hardest" else x
        losses.append(x.clamp(min=0).mean() if len(x) else 0 * s[i, i])
    return torch.stack(losses)


def plain_margin(a, b, _t, margin=1.2):
    d = (a[:, None] - b).norm(dim=2)
    return d.diagonal() ** 2 / 2 + ((margin - negatives(d)).clamp(min=0) ** 2 / 2).mean(1)


def plain_n_pair(a, b, _t):
    s = a @ b.T
    penalty = 0.3 / 4 * (a.pow(2).sum(1) + b.pow(2).sum(1))
    return (1 + (negatives(s) - s.diagonal()[:, None]).exp().sum(1)).log() + penalty


def plain_angular(a, b, _t, degrees=40.0):
    square = tan(radians(degrees)) ** 2
    f = 4 * square * (a + b) @ b.T - 2 * (1 + square) * (a * b).sum(1, keepdim=True)
    return (1 + negatives(f).exp().sum(1)).log()


def plain_matryoshka(a, b, t):
    cut = [(normalize(a[:, :k], dim=1), normalize(b[:, :k], dim=1)) for k in (2, D)]
    return sum(
        w * cross_entropy(x @ y.T / t, ITEMS, reduction="none") for w, (x, y) in zip((0.5, 2.0), cut, strict=True)
    )


def plain_uniformity(a, _b, _t):
    return (
        torch.stack([(-3 * (a[i] - a[j]).pow(2).sum()).exp() for i in range(N) for j in range(N) if i != j])
        .mean()
        .log()
    )


def labelled(a, b, t):
    return Scores(a, b, temperature=t, positives=(LABELS, LABELS), anchor_ids=ITEMS, candidate_ids=ITEMS)


FAMILY = {
    "decoupled": (lambda a, b, t: decoupled(Scores(a, b, temperature=t)), plain_decoupled),
    "decoupled, weighted": (
        lambda a, b, t: decoupled(Scores(a, b, temperature=t), sigma=0.5),
        lambda a, b, t: plain_decoupled(a, b, t, 0.5),
    ),
    "supervised, outer": (
        lambda a, b, t: supervised_contrastive(labelled(a, b, t)),
        lambda a, b, t: plain_supervised(a, b, t, "outer"),
    ),
    "supervised, inner": (
        lambda a, b, t: supervised_contrastive(labelled(a, b, t), placement="inner"),
        lambda a, b, t: plain_supervised(a, b, t, "inner"),
    ),
    "nt_xent": (lambda a, b, t: nt_xent(a, b, temperature=t, normalize=False), plain_nt_xent),
    "debiased": (
        lambda a, b, t: debiased(Scores(a, b, temperature=t), TAU),
        lambda a, b, t: plain_debiased(a, b, t, TAU),
    ),
    "hard_negative": (
        lambda a, b, t: hard_negative(Scores(a, b, temperature=t), 0.7, tau_plus=0.1),
        lambda a, b, t: plain_debiased(a, b, t, 0.1, 0.7),
    ),
    "sigmoid": (lambda a, b, t: sigmoid(Scores(a, b, temperature=t), -1.5), plain_sigmoid),
    "margin_contrastive": (lambda a, b, t: margin_contrastive(a, b, 1.2), plain_margin),
    "n_pair": (lambda a, b, t: n_pair(a, b, regularisation=0.3), plain_n_pair),
    "angular": (lambda a, b, t: angular(a, b, 40.0), plain_angular),
    "smoothed": (
        lambda a, b, t: smoothed(Scores(a, b, temperature=t), 0.2),
        lambda a, b, t: cross_entropy(a @ b.T / t, ITEMS, label_smoothing=0.2, reduction="none"),
    ),
    "soft_targets": (
        lambda a, b, t: soft_targets(a, b, TARGETS, temperature=t),
        lambda a, b, t: cross_entropy(a @ b.T / t, TARGETS, reduction="none"),
    ),
    "matryoshka": (
        lambda a, b, t: matryoshka(info_nce, a, b, (2, D), weights=(0.5, 2.0), temperature=t),
        plain_matryoshka,
    ),
    "alignment": (
        lambda a, b, t: alignment(a, b, alpha=3.0),
        lambda a, b, t: ((a - b) ** 2).sum(1) ** 1.5,
    ),
    "uniformity": (lambda a, b, t: uniformity(a, t=3.0), plain_uniformity),
} | {
    f"triplet, {kind}": (
        lambda a, b, t, kind=kind: triplet(Scores(a, b, temperature=t), 0.8, negatives=kind),
        lambda a, b, t, kind=kind: plain_triplet(a, b, t, 0.8, kind),
    )
    for kind in ("all", "hardest", "semi-hard")
}


def leaves(temperature=0.4):
    return [x.clone().requires_grad_() for x in (A, B, torch.tensor(temperature, dtype=torch.float64))]


def gradients(losses, inputs):
    """Of losses that weigh differently."""
    weights = torch.linspace(0.5, 2, losses.numel(), dtype=torch.float64).view(losses.shape)
    return torch.autograd.grad((losses * weights).sum(), inputs, allow_unused=True)


@pytest.mark.parametrize("path", ["dense", "many tiles"])
@pytest.mark.parametrize("name", FAMILY)
def test_values_and_gradients_are_those_of_the_definition(name, path, monkeypatch):
    if path == "many tiles":
        monkeypatch.setattr(tiles, "CPU_TILE", (4, 3))
        monkeypatch.setattr("infomax.scores.scores.DENSE_CELLS", 0)
    ours, plain = FAMILY[name]
    inputs = leaves()
    got, want = ours(*inputs), plain(*inputs)
    torch.testing.assert_close(got, want)
    for x, y in zip(gradients(got, inputs), gradients(want, inputs), strict=True):
        if x is None or y is None:  # the temperature, where an objective has none
            assert x is y
        else:
            torch.testing.assert_close(x, y, atol=1e-10, rtol=1e-7)


@pytest.mark.parametrize("name", [n for n in FAMILY if n not in ("triplet, all", "nt_xent", "supervised, outer")])
def test_gradcheck_of_the_streamed_form(name, monkeypatch):
    monkeypatch.setattr(tiles, "CPU_TILE", (4, 3))
    monkeypatch.setattr("infomax.scores.scores.DENSE_CELLS", 0)
    ours, _ = FAMILY[name]
    assert torch.autograd.gradcheck(lambda *x: ours(*x).sum(), leaves(), fast_mode=True)


def test_the_floor_of_debiasing_and_of_semi_hard_rows_are_met_by_the_cases_above():
    s = A @ B.T / 0.4
    g = (negatives(s).exp().mean(1) - TAU * s.diagonal().exp()) / (1 - TAU)
    floored = g < e ** (-1 / 0.4)
    assert floored.any()
    assert not floored.all()
    x = negatives(s) - s.diagonal()[:, None] + 0.8
    chosen = ((x > 0) & (x < 0.8)).sum(1)
    assert chosen.max() > 1
    assert (chosen == 0).any()


def test_a_learned_bias_gets_its_gradient_and_several_true_pairs_count_each():
    bias = torch.tensor(-1.0, dtype=torch.float64, requires_grad=True)
    scores = Scores(A, B, positives=(LABELS, LABELS))
    s, true = A @ B.T + bias, LABELS[:, None] == LABELS
    want = torch.where(true, softplus(-s), softplus(s)).sum(1)
    got = sigmoid(scores, bias)
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(*(torch.autograd.grad(x.sum(), bias)[0] for x in (got, want)))


def test_cosent_is_the_sum_over_ordered_pairs():
    y = torch.tensor([1, 3, 3, 0, 2, 1, 5, 3, 0, 4, 2])
    c = (A * B).sum(1).requires_grad_()
    terms = [torch.exp(7 * (c[j] - c[i])) for i in range(N) for j in range(N) if y[i] > y[j]]
    want, got = torch.log(1 + torch.stack(terms).sum()), cosent(c, y, scale=7.0)
    torch.testing.assert_close(got, want)
    torch.testing.assert_close(*(torch.autograd.grad(x, c)[0] for x in (got, want)))
    shuffled = torch.randperm(N, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(cosent(c[shuffled], y[shuffled], scale=7.0), want)


def test_covariance_objectives_are_their_definitions():
    inputs = leaves()[:2]
    a, b = inputs
    x, y = ((z - z.mean(0)) / (z.var(0, correction=0) + 1e-5).sqrt() for z in inputs)
    c = torch.einsum("nk,nl->kl", x, y) / N
    twins = sum((1 - c[k, k]) ** 2 if k == m else 0.1 * c[k, m] ** 2 for k in range(D) for m in range(D))
    spread = sum((1 - (z.var(0) + 1e-4).sqrt()).clamp(min=0).mean() for z in inputs)
    covariances = [torch.einsum("nk,nl->kl", z - z.mean(0), z - z.mean(0)) / (N - 1) for z in inputs]
    crossed = sum(m[k, l] ** 2 / D for m in covariances for k in range(D) for l in range(D) if k != l)  # noqa: E741
    regular = 3 * (a - b).norm(dim=1).pow(2).mean() + 2 * spread + 5 * crossed
    ours = (barlow_twins(a, b, weight=0.1), vicreg(a, b, invariance=3.0, variance=2.0, covariance=5.0))
    for got, want in zip(ours, (twins, regular), strict=True):
        torch.testing.assert_close(got, want)
        torch.testing.assert_close(torch.autograd.grad(got, inputs), torch.autograd.grad(want, inputs))


def test_vicreg_leaves_dimensions_alone_that_vary_enough():
    """The hinge at a standard deviation of 1: wide dimensions cost nothing, and do not pay for a constant one."""
    wide = 3 * A / A.std(0)
    only = {"invariance": 0.0, "variance": 1.0, "covariance": 0.0, "eps": 0.0}
    assert vicreg(wide, wide, **only).item() == 0
    constant = torch.cat([wide[:, 1:], torch.ones(N, 1, dtype=A.dtype)], 1)
    assert vicreg(wide, constant, **only).item() == pytest.approx(1 / D, rel=1e-12)


def test_low_temperatures_do_not_overflow():
    a, b = A.float(), B.float().requires_grad_()
    s = Scores(a, b, temperature=0.005)
    for losses in (debiased(s, 0.1), hard_negative(s, 1.0, tau_plus=0.1), decoupled(s), sigmoid(s)):
        (slope,) = torch.autograd.grad(losses.sum(), b, retain_graph=True)
        assert losses.isfinite().all()
        assert slope.isfinite().all()


def test_matryoshka_cuts_vectors_given_apart():
    own, further = B.flip(0), torch.stack([A.roll(1, 0), B.roll(2, 0)], 1)
    got = matryoshka(info_nce, A, B, (3,), normalize=False, positives=own, negatives=further)
    cut = Scores(A[:, :3], B[:, :3], positives=own[:, :3], negatives=further[..., :3])
    torch.testing.assert_close(got, info_nce(cut))


SCORES = Scores(A, B)
REFUSED = {
    "sigma must be positive": lambda: decoupled(SCORES, sigma=0.0),
    "placement must be": lambda: supervised_contrastive(SCORES, placement="in"),
    "no chance pair": lambda: supervised_contrastive(Scores(A, B, positives=(0 * ITEMS, 0 * ITEMS)), placement="inner"),
    "views must be tensors of one shape .N, d.; got .11, 5. and .10, 5.": lambda: two_views(A, B[1:]),
    "tau_plus must lie from 0 to below 1; got 1 to 1": lambda: debiased(SCORES, 1.0),
    "one true pair a row": lambda: debiased(labelled(A, B, 1.0), 0.1),
    "give `least`": lambda: debiased(Scores.from_dense(A @ B.T), 0.1),
    "beta must be at least 0": lambda: hard_negative(SCORES, -0.5),
    "margin must be at least 0": lambda: triplet(SCORES, -0.1),
    "negatives must be 'all'": lambda: triplet(SCORES, 0.1, negatives="easy"),
    "have no chance pair": lambda: triplet(Scores(A[:1], B[:1]), 0.1, negatives="hardest"),
    "anchors have no chance pair": lambda: triplet(Scores(A[:1], B[:1]), 0.1, negatives="semi-hard"),
    "margin must be positive": lambda: margin_contrastive(A, B, 0.0),
    "regularisation must be": lambda: n_pair(A, B, regularisation=-1.0),
    "degrees must lie": lambda: angular(A, B, 90.0),
    "anchors and positives must be tensors of one shape": lambda: angular(A, B[1:]),
    "epsilon must lie": lambda: smoothed(SCORES, 1.0),
    "targets must be a floating point tensor of shape .11, 11.": lambda: soft_targets(A, B, TARGETS[:, 1:]),
    "targets must be distributions": lambda: soft_targets(A, B, 2 * TARGETS),
    "similarities must be": lambda: cosent(A, ITEMS),
    "targets must have shape": lambda: cosent(A[:, 0], ITEMS[1:]),
    "scale must be positive": lambda: cosent(A[:, 0], ITEMS, scale=0.0),
    "hold NaN": lambda: cosent(A[:, 0] / 0, ITEMS),
    "all targets are equal": lambda: cosent(A[:, 0], 0 * ITEMS),
    "x and y must be tensors": lambda: alignment(A, B[1:]),
    "alpha must be at least 1": lambda: alignment(A, B, alpha=0.5),
    "t must be positive": lambda: uniformity(A, t=0.0),
    "have no negative": lambda: uniformity(A[:1]),
    "tau_plus must be a number or a floating point vector, not str": lambda: debiased(SCORES, "a"),
    "finite .0: all negatives alike.; got a": lambda: hard_negative(SCORES, "a"),
    "bias must be a number or a floating point vector, not NoneType": lambda: sigmoid(SCORES, None),
    "margin must be at least 0 and finite; got x": lambda: triplet(SCORES, "x"),
    "whole numbers from 1 to 5": lambda: matryoshka(info_nce, A, B, (2.0,)),
    "targets must be numbers, one a pair": lambda: cosent(A[:, 0], ["a"] * N),
    "invariance must be a finite number of at least 0; got nan": lambda: vicreg(A, B, invariance=float("nan")),
    "eps must be a finite number of at least 0; got -1.0": lambda: barlow_twins(A, B, eps=-1.0),
    "a dimension is constant": lambda: barlow_twins(A * 0, B, eps=0.0),
    "the two views must be floating point": lambda: barlow_twins(ITEMS[:, None], ITEMS[:, None]),
    "N at least 2": lambda: vicreg(A[:1], B[:1]),
    "the views hold NaN": lambda: barlow_twins(A, B / 0),
    "whole numbers from 1 to 5, .*; got .6": lambda: matryoshka(info_nce, A, B, (6,)),
    "weights must have one entry a width": lambda: matryoshka(info_nce, A, B, (2, 5), weights=(1.0,)),
}


@pytest.mark.parametrize("message", REFUSED)
def test_refusals(message):
    with pytest.raises(InputError, match=message):
        REFUSED[message]()


def test_a_dense_matrix_is_debiased_with_the_least_score_given():
    s = A @ B.T / 0.4
    torch.testing.assert_close(
        debiased(Scores.from_dense(s), TAU, least=-2.5), debiased(Scores(A, B, temperature=0.4), TAU)
    )
    torch.testing.assert_close(debiased(Scores.from_dense(s), 0.0), info_nce(Scores.from_dense(s)))


def test_a_debiased_mean_below_the_floor_is_raised_to_it_though_positive():
    near = normalize(A + 0.3 * B, dim=1)
    s, floor = A @ near.T / 0.4, e ** (-1 / 0.4)
    p, mean = s.diagonal().exp(), negatives(s).exp().mean(1)
    tau = (mean - floor / 2) / (p - floor / 2)  # so that g would be half the floor
    assert ((tau > 0) & (tau < 1)).all()
    want = torch.log1p((N - 1) * floor / p)
    torch.testing.assert_close(debiased(Scores(A, near, temperature=0.4), tau), want)


def test_half_precisions_are_summed_in_float32():
    a, b = A.half(), B.half()
    for objective in (alignment, barlow_twins, vicreg, n_pair, nt_xent, margin_contrastive):
        got = objective(a, b)
        assert got.dtype == torch.float32
        torch.testing.assert_close(got, objective(a.float(), b.float()), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    "objective",
    [barlow_twins, partial(barlow_twins, weight=0.0), vicreg, partial(vicreg, invariance=0.0, variance=0.0)],
)
def test_covariances_under_autocast_are_those_without(objective):
    a, b = A.float().requires_grad_(), (A + 0.05 * B).float()
    plain = objective(a, b)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = objective(a, b)
    assert got.dtype == torch.float32
    torch.testing.assert_close(got, plain)
    torch.testing.assert_close(*(torch.autograd.grad(value, a)[0] for value in (got, plain)))


def test_soft_targets_under_autocast_are_those_without():
    a, b, targets = A.float(), B.float(), TARGETS.float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        got = soft_targets(a, b, targets, temperature=0.1)
    assert bool((got == soft_targets(a, b, targets, temperature=0.1)).all())
