"""Noise that depends on the context, each row with its own draws: the losses stay consistent, by summing over every draw."""

from __future__ import annotations

from itertools import product

import pytest
import torch

from infomax.candidates import Drawn, NGram
from infomax.objectives import binary_nce, binary_nce_anchor, noise_scores, ranking_nce

V, K = 4, 2
NOISE = NGram.fit([0, 1, 2, 0, 1, 3, 3, 0, 1, 1, 2, 0, 2], classes=V, order=2)
CONTEXTS = torch.tensor([[0], [1], [3]])
TRUE = torch.randn(len(CONTEXTS), V, generator=torch.Generator().manual_seed(0), dtype=torch.float64).softmax(1)
Q = NOISE.log_probs(CONTEXTS).exp()
EVERY_WORD = torch.eye(V, dtype=torch.float64)

# One row for each context, target and draw of K words.
CONTEXT, TARGET, *DRAWS = torch.tensor(list(product(range(len(CONTEXTS)), *[range(V)] * (1 + K)))).T
IDS = torch.stack(DRAWS, 1)
PROBABILITY = TRUE[CONTEXT, TARGET] / len(CONTEXTS) * Q[CONTEXT].gather(1, IDS).prod(1)


def population_loss(theta, objective, corrected_for=CONTEXTS):
    """Of the scores `theta` (contexts, V), with log(expected count) taken as after the contexts `corrected_for`."""
    known = corrected_for[CONTEXT]
    drawn = Drawn(IDS, NOISE.log_expected(IDS, K, known), "kept", float(K))
    expected = NOISE.log_expected(TARGET, K, known)
    scores = noise_scores(theta[CONTEXT], EVERY_WORD[TARGET], EVERY_WORD[IDS], drawn, log_expected=expected)
    return (PROBABILITY * objective(scores)).sum()


def optimum(objective, corrected_for=CONTEXTS):
    theta = torch.zeros(len(CONTEXTS), V, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [theta], max_iter=500, tolerance_grad=1e-14, tolerance_change=1e-18, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = population_loss(theta, objective, corrected_for)
        value.backward()
        return value

    optimizer.step(closure)
    return theta.detach()


def divergence(theta):
    """Mean KL of softmax(theta) from the data's law, over the contexts."""
    return float((TRUE * (TRUE.log() - theta.log_softmax(1))).sum(1).mean())


def test_every_draw_is_there():
    torch.testing.assert_close(PROBABILITY.sum(), torch.ones((), dtype=torch.float64))
    assert float((Q[0] - Q[1]).abs().max()) > 0.1  # the noise does depend on the context


def test_binary_nce_is_log_p_of_each_context():
    theta = optimum(binary_nce)
    torch.testing.assert_close(theta, TRUE.log(), atol=1e-6, rtol=0)
    assert abs(divergence(theta)) < 1e-9


def test_ranking_nce_is_log_p_up_to_a_constant_of_each_context():
    assert abs(divergence(optimum(ranking_nce))) < 1e-9


@pytest.mark.parametrize("objective", [binary_nce, ranking_nce])
def test_the_law_of_another_context_is_not_consistent(objective):
    assert divergence(optimum(objective, corrected_for=torch.full_like(CONTEXTS, -1))) > 1e-3


@pytest.mark.parametrize("objective", [binary_nce, ranking_nce])
def test_a_model_that_equals_its_noise_has_the_anchor(objective):
    anchor = binary_nce_anchor(K) if objective is binary_nce else torch.tensor(K + 1.0).double().log()
    torch.testing.assert_close(
        population_loss(Q.log(), objective), torch.as_tensor(anchor, dtype=torch.float64), rtol=1e-12, atol=0
    )
