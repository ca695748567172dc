"""NCE on `Scores`: streamed as dense, first derivatives, generalised BCE, refusals."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import logsigmoid

from infomax.candidates import Drawn, Inclusion, Uniform, Unigram
from infomax.errors import InputError
from infomax.objectives import binary_nce, generalised_bce, negative_sampling, noise_scores, ranking_nce
from infomax.scores import Scores, tiles

N, V, K, D = 9, 40, 30, 4
RNG = torch.Generator().manual_seed(0)
CONTEXTS, WORDS = (torch.randn(n, D, generator=RNG, dtype=torch.float64) for n in (N, V))
BIAS = torch.randn(V, generator=RNG, dtype=torch.float64)
TARGETS = torch.randint(V, (N,), generator=RNG)
COUNTS = torch.arange(1, V + 1)


def inputs(rows: int | None = None, sampler=None) -> tuple[list[torch.Tensor], object]:
    """Leaves (contexts, words, bias, c) and the function that scores them."""
    sampler = sampler or Unigram(COUNTS)
    drawn = sampler.draw(K, torch.Generator().manual_seed(1), rows)
    leaves = [x.clone().requires_grad_() for x in (CONTEXTS, WORDS, BIAS, torch.linspace(-1, 1, N).double())]

    def score(contexts, words, bias, c):
        return noise_scores(
            contexts, words[TARGETS], words[drawn.ids], drawn, log_expected=sampler.log_expected(TARGETS, K),
            targets=TARGETS, positive_bias=bias[TARGETS], noise_bias=bias[drawn.ids], log_normaliser=c,
        )  # fmt: skip

    return leaves, (score, drawn, sampler)


def plainly(leaves, drawn, sampler) -> tuple[torch.Tensor, torch.Tensor]:
    """(N,) and (N, K) corrected scores, written out; -inf where a hit is masked."""
    h, w, b, c = leaves
    positive = (h * w[TARGETS]).sum(1) + b[TARGETS] - sampler.log_expected(TARGETS, K) - c
    ids = drawn.ids.expand(N, -1) if drawn.ids.ndim == 1 else drawn.ids
    noise = (h[:, None] * w[ids]).sum(2) + b[ids] - sampler.log_expected(ids, K) - c[:, None]
    masked = (ids == TARGETS[:, None]) & (drawn.hits == "masked")
    return positive, noise.masked_fill(masked, float("-inf"))


@pytest.mark.parametrize("path", ["dense", "many tiles"])
@pytest.mark.parametrize("kind", ["shared", "a row its own", "masked"])
def test_values_and_gradients_are_those_of_the_formula(kind, path, monkeypatch):
    if path == "many tiles":
        monkeypatch.setattr(tiles, "CPU_TILE", (4, 7))
        monkeypatch.setattr("infomax.scores.scores.DENSE_CELLS", 0)
    leaves, (score, drawn, sampler) = inputs(
        N if kind == "a row its own" else None, Inclusion(Unigram(COUNTS)) if kind == "masked" else None
    )
    assert score(*leaves).backend == ("streamed" if path == "many tiles" else "dense")
    positive, noise = plainly(leaves, drawn, sampler)
    wants = {
        binary_nce: -logsigmoid(positive) - logsigmoid(-noise).sum(1),
        ranking_nce: torch.logsumexp(torch.cat([positive[:, None], noise], 1), 1) - positive,
    }
    for objective, want in wants.items():
        got = objective(score(*leaves))
        torch.testing.assert_close(got, want)
        weights = torch.linspace(0.5, 2, N).double()
        ours, theirs = (torch.autograd.grad((x * weights).sum(), leaves, retain_graph=True) for x in (got, want))
        for a, b in zip(ours, theirs, strict=True):
            torch.testing.assert_close(a, b, atol=1e-10, rtol=1e-8)


def test_gradcheck():
    leaves, _ = inputs()
    small = [leaves[0][:3].detach().requires_grad_(), *leaves[1:3]]
    drawn = Uniform(V).draw(4, torch.Generator().manual_seed(1))

    def loss(h, w, b):
        expected = Uniform(V).log_expected(TARGETS[:3], 4)
        s = noise_scores(
            h, w[TARGETS[:3]], w[drawn.ids], drawn, log_expected=expected, positive_bias=b[TARGETS[:3]],
            noise_bias=b[drawn.ids],
        )  # fmt: skip
        return binary_nce(s) + ranking_nce(s)

    assert torch.autograd.gradcheck(loss, small)


def test_ranking_does_not_see_a_normaliser_and_binary_does():
    leaves, (score, *_) = inputs()
    without = score(*leaves[:3], torch.zeros(N).double())
    torch.testing.assert_close(ranking_nce(score(*leaves)), ranking_nce(without))
    assert (binary_nce(score(*leaves)) - binary_nce(without)).abs().max() > 0.01


def test_generalised_bce_between_negative_sampling_and_the_probability_of_the_full_sum():
    plain = Scores(CONTEXTS, WORDS[:K], positives=WORDS[TARGETS])
    positive = plain.positive()
    torch.testing.assert_close(generalised_bce(plain, V, 0.0), negative_sampling(plain))
    # calibration 1: the positive's exponent is α, so that Σ over K of V - 1 draws weighs it as the full sum would
    want = negative_sampling(plain) + (1 - K / (V - 1)) * logsigmoid(positive)
    torch.testing.assert_close(generalised_bce(plain, V, 1.0), want)
    for bad in (-0.1, 1.1):
        with pytest.raises(InputError, match="calibration must lie between 0 and 1"):
            generalised_bce(plain, V, bad)
    with pytest.raises(InputError, match="30 draws a row of 20 classes"):
        generalised_bce(plain, 20)


def test_a_target_that_noise_never_draws_is_refused():
    counts = COUNTS.clone()
    counts[TARGETS[2]] = 0
    sampler = Unigram(counts)
    drawn = sampler.draw(K, torch.Generator().manual_seed(0))
    first = int((TARGETS == TARGETS[2]).nonzero()[0])
    with pytest.raises(InputError, match=f"noise never draws the target of row {first}"):
        noise_scores(CONTEXTS, WORDS[TARGETS], WORDS[drawn.ids], drawn, log_expected=sampler.log_expected(TARGETS, K))


def test_hits_are_masked_only_where_that_is_consistent():
    ids = torch.zeros(N, K, dtype=torch.int64)
    masked = Drawn(ids, torch.zeros(N, K).double(), "masked", float(K))
    with pytest.raises(InputError, match="draws for each row must keep their hits"):
        noise_scores(CONTEXTS, CONTEXTS, WORDS[ids], masked, log_expected=torch.zeros(N))
    shared = Drawn(ids[0], torch.zeros(K).double(), "masked", float(K))
    with pytest.raises(InputError, match="give the targets' ids"):
        noise_scores(CONTEXTS, CONTEXTS, WORDS[ids[0]], shared, log_expected=torch.zeros(N))
