"""Which triples of sampler, hit rule and correction are consistent: the population loss summed over every possible draw,
minimised, and its optimum compared with the law that the data have."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
import torch

from infomax.candidates import Drawn, Everything, Inclusion, Unigram
from infomax.objectives import binary_nce, negative_sampling, noise_scores, ranking_nce

V, K = 5, 2
P = torch.tensor([0.35, 0.25, 0.2, 0.15, 0.05], dtype=torch.float64)
NOISE = Unigram([1, 2, 3, 4, 10])
Q = NOISE.log_q(torch.arange(V)).exp()
EVERY_WORD = torch.eye(V, dtype=torch.float64)


def iid_draws():
    """Every draw of K words and its probability."""
    for ids in itertools.product(range(V), repeat=K):
        ids = torch.tensor(ids)
        yield Drawn(ids, NOISE.log_expected(ids, K), "kept", float(K)), float(Q[ids].prod())


def inclusions():
    """Every set of words and its probability."""
    sampler = Inclusion(NOISE)
    inclusion = sampler.log_expected(torch.arange(V), K).exp()
    for mask in itertools.product([False, True], repeat=V):
        mask = torch.tensor(mask)
        ids = mask.nonzero().squeeze(1)
        probability = float(torch.where(mask, inclusion, 1 - inclusion).prod())
        if probability > 0:
            yield Drawn(ids, sampler.log_expected(ids, K), "masked", float(K)), probability


def population_optimum(draws, objective, log_expected, log_normaliser=None) -> torch.Tensor:
    """The scores (V,) that minimise the expected loss."""
    draws = list(draws)
    theta = torch.zeros(V, dtype=torch.float64, requires_grad=True)
    targets = torch.arange(V)

    def loss() -> torch.Tensor:
        total = theta.sum() * 0
        contexts = theta.expand(V, V)  # <theta, word> is theta's entry
        for drawn, probability in draws:
            scores = noise_scores(
                contexts, EVERY_WORD, EVERY_WORD[drawn.ids], drawn, log_expected=log_expected, targets=targets,
                log_normaliser=log_normaliser,
            )  # fmt: skip
            total = total + probability * (P * objective(scores)).sum()
        return total

    optimizer = torch.optim.LBFGS(
        [theta], max_iter=200, tolerance_grad=1e-13, tolerance_change=1e-18, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
    return theta.detach()


def divergence(theta: torch.Tensor) -> float:
    """KL of softmax(theta) from the data's law."""
    return float((P * (P.log() - theta.log_softmax(0))).sum())


EXPECTED = NOISE.log_expected(torch.arange(V), K)


def test_independent_draws_with_hits_kept():
    theta = population_optimum(iid_draws(), ranking_nce, EXPECTED)
    assert abs(divergence(theta)) < 1e-10


def test_inclusions_with_hits_masked():
    theta = population_optimum(inclusions(), ranking_nce, Inclusion(NOISE).log_expected(torch.arange(V), K))
    assert abs(divergence(theta)) < 1e-10


WRONG = {
    "independent draws, hits masked": (lambda d: replace(d, hits="masked"), EXPECTED),
    "corrected on the noise only": (lambda d: d, torch.zeros(V, dtype=torch.float64)),
    "not corrected": (lambda d: replace(d, log_expected=d.log_expected * 0), EXPECTED * 0),
    "corrected with the wrong sign": (lambda d: replace(d, log_expected=-d.log_expected), -EXPECTED),
}


@pytest.mark.parametrize("name", WRONG)
def test_other_triples_are_not_consistent(name):
    change, log_expected = WRONG[name]
    theta = population_optimum([(change(d), p) for d, p in iid_draws()], ranking_nce, log_expected)
    assert divergence(theta) > 1e-5


def test_binary_nce_is_log_p_itself():
    theta = population_optimum(iid_draws(), binary_nce, EXPECTED)
    torch.testing.assert_close(theta, P.log(), atol=1e-6, rtol=0)


def test_binary_nce_of_masked_draws_is_the_log_odds():
    theta = population_optimum(inclusions(), binary_nce, Inclusion(NOISE).log_expected(torch.arange(V), K))
    torch.testing.assert_close(theta, (P / (1 - P)).log(), atol=1e-6, rtol=0)


def test_a_fixed_normaliser_is_a_constant_of_the_scores():
    theta = population_optimum(iid_draws(), binary_nce, EXPECTED, log_normaliser=2.0)
    torch.testing.assert_close(theta, P.log() + 2, atol=1e-6, rtol=0)


def test_negative_sampling_is_a_shifted_pointwise_mutual_information():
    uncorrected = [(replace(d, log_expected=d.log_expected * 0), p) for d, p in iid_draws()]
    theta = population_optimum(uncorrected, negative_sampling, EXPECTED * 0)
    torch.testing.assert_close(theta, (P / Q / K).log(), atol=1e-6, rtol=0)


def test_everything_is_the_full_softmax():
    theta = torch.linspace(-1, 1, V, dtype=torch.float64)
    sampler, targets = Everything(V), torch.arange(V)
    drawn = sampler.draw(1, torch.Generator())
    scores = noise_scores(
        theta.expand(V, V),
        EVERY_WORD,
        EVERY_WORD,
        drawn,
        log_expected=sampler.log_expected(targets, 1),
        targets=targets,
    )
    torch.testing.assert_close(ranking_nce(scores), -theta.log_softmax(0))
