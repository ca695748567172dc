"""Binary NCE of a conditional model needs a normaliser in each context; ranking NCE needs none (Ma & Collins 2018).

p(y | x) ∝ exp(f(x, y)), true scale θ = 1, contexts with very different normalisers; population losses are exact sums.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from infomax.candidates import Drawn, Uniform
from infomax.objectives import binary_nce, binary_nce_anchor, noise_scores, ranking_nce
from infomax.unnormalised import SampledLinear

RNG = torch.Generator().manual_seed(2)
X, Y, K = 4, 6, 3
FEATURE = 2 * torch.randn(X, Y, generator=RNG, dtype=torch.float64) + torch.arange(X)[:, None] * 2
TRUE = FEATURE.softmax(1)
NOISE = Uniform(Y)
WORDS = torch.eye(Y, dtype=torch.float64)


def fitted_scale(normaliser: str) -> float:
    """θ at the minimum of the population loss."""
    theta = torch.zeros((), dtype=torch.float64, requires_grad=True)
    c = torch.zeros(X if normaliser == "each context" else (), dtype=torch.float64, requires_grad=True)
    every = torch.arange(Y)
    # Binary NCE is linear in the noise, so its expectation is K times the loss of all words, each with weight q.
    contexts = torch.arange(X).repeat_interleave(Y)

    def loss():
        taken = {"fixed": None, "ranking": None, "one": c}.get(normaliser, c[contexts] if c.ndim else None)
        if normaliser == "ranking":
            total = theta * 0
            for first in range(Y):
                for second in range(Y):
                    ids = torch.tensor([first, second])
                    total = total + scored(theta, ids, 2, None, contexts, ranking_nce) / Y**2
            return total
        of_positive = scored(
            theta, every[:1], K, taken, contexts, lambda s: -torch.nn.functional.logsigmoid(s.positive())
        )
        of_noise = scored(
            theta, every, K, taken, contexts, lambda s: binary_nce(s) + torch.nn.functional.logsigmoid(s.positive())
        )
        return of_positive + of_noise * K / Y

    def scored(theta, ids, k, taken, contexts, objective):
        drawn = Drawn(ids, NOISE.log_expected(ids, k), "kept", float(k))
        words = every.repeat(X)
        scores = noise_scores(
            theta * FEATURE[contexts], WORDS[words], WORDS[ids], drawn,
            log_expected=NOISE.log_expected(words, k), log_normaliser=taken,
        )  # fmt: skip
        return (TRUE.flatten() / X * objective(scores)).sum()

    learned = [theta] if normaliser in ("fixed", "ranking") else [theta, c]
    optimizer = torch.optim.LBFGS(
        learned, max_iter=300, tolerance_grad=1e-13, tolerance_change=1e-18, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)
    return float(theta.detach())


@pytest.mark.parametrize("normaliser", ["each context", "ranking"])
def test_consistent(normaliser):
    assert fitted_scale(normaliser) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("normaliser", ["fixed", "one"])
def test_not_consistent(normaliser):
    assert abs(fitted_scale(normaliser) - 1) > 0.2


class EachOnce(Uniform):
    """Y uniform draws hold each of Y words once on average: binary NCE, linear in its noise, has its expectation at that."""

    def draw(self, k: int, rng: torch.Generator, rows: int | None = None) -> Drawn:
        assert k == self.classes
        ids = torch.arange(k) if rows is None else torch.arange(k).expand(rows, -1)
        return Drawn(ids, self.log_expected(ids, k), "kept", float(k))


def fitted_layer(normaliser, shared: bool) -> tuple[float, torch.Tensor]:
    """θ, and c (X,) of each context, at the minimum of the population loss of a layer whose words are given."""
    layer = SampledLinear(
        Y, Y, noise=EachOnce(Y), draws=Y, objective="nce", log_normaliser=normaliser, shared=shared, bias=False,
        sparse=False, dtype=torch.float64,
    )  # fmt: skip
    layer.weight = torch.nn.Parameter(WORDS, requires_grad=False)
    theta, contexts = torch.zeros((), dtype=torch.float64, requires_grad=True), torch.arange(X).repeat_interleave(Y)
    optimizer = torch.optim.LBFGS(
        [theta, *layer.normaliser.parameters()], max_iter=400, tolerance_grad=1e-13, tolerance_change=1e-18,
        line_search_fn="strong_wolfe",
    )  # fmt: skip

    def closure():
        optimizer.zero_grad()
        losses = layer.loss(theta * FEATURE[contexts], torch.arange(Y).repeat(X), reduction="none")
        value = (TRUE.flatten() / X * losses).sum()
        value.backward()
        return value

    optimizer.step(closure)
    c = layer.normaliser(theta.detach() * FEATURE)
    return float(theta.detach()), torch.as_tensor(c, dtype=torch.float64).detach().expand(X)


@pytest.mark.parametrize("shared", [True, False])
def test_a_layer_whose_normaliser_depends_on_the_context_is_consistent(shared):
    theta, c = fitted_layer("context", shared)
    assert theta == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(c, FEATURE.logsumexp(1), atol=1e-4, rtol=0)


@pytest.mark.parametrize("normaliser", [0.0, 3.0, "learned"])
def test_a_layer_with_one_normaliser_is_not(normaliser):
    theta, c = fitted_layer(normaliser, shared=True)
    assert abs(theta - 1) > 0.2
    assert float((c - FEATURE.logsumexp(1)).abs().max()) > 1


def drawn_all(k: float) -> Drawn:
    """All words with an expected count of k/Y each, standing for k uniform draws."""
    ids = torch.arange(Y)
    return Drawn(ids, NOISE.log_expected(ids, 1) + torch.tensor(k, dtype=torch.float64).log(), "kept", k)


def gradient(scores_of_words: torch.Tensor, k: float, data: torch.Tensor) -> torch.Tensor:
    """Of the population's binary NCE loss in the scores of the words, one context."""
    s = scores_of_words.clone().requires_grad_()
    expected = drawn_all(k).log_expected
    g = noise_scores(s.expand(Y, Y), WORDS, WORDS, drawn_all(k), log_expected=expected)
    positive = -torch.nn.functional.logsigmoid(g.positive())
    noise = (binary_nce(g) - positive) * k / Y
    (slope,) = torch.autograd.grad((data * (positive + noise)).sum(), s)
    return slope


def test_gradient_is_the_closed_form():
    s = torch.randn(Y, generator=RNG, dtype=torch.float64)
    data, p, q = torch.full((Y,), 1 / Y).double().softmax(0), s.exp(), torch.full((Y,), 1 / Y).double()
    for k in (1.0, 4.0, 64.0):
        want = -data * k * q / (p + k * q) + k * q * p / (p + k * q)
        torch.testing.assert_close(gradient(s, k, data), want)


@pytest.mark.parametrize("normalised", [True, False])
def test_many_draws_give_the_gradient_of_the_likelihood_only_of_a_normalised_model(normalised):
    s = torch.randn(Y, generator=RNG, dtype=torch.float64)
    s = s.log_softmax(0) if normalised else s + 1
    data = TRUE[0]
    likelihood, self_normalised = s.softmax(0) - data, s.exp() - data
    errors = [float((gradient(s, 10.0**e, data) - self_normalised).abs().max()) for e in (3, 4, 5, 6)]
    for larger, smaller in pairwise(errors):
        assert smaller == pytest.approx(larger / 10, rel=0.2)  # error 1/k
    apart = float((likelihood - self_normalised).abs().max())
    assert apart < 1e-12 if normalised else apart > 0.1


@pytest.mark.parametrize("k", [1, 5, 100])
def test_a_model_that_equals_its_noise_has_the_anchors(k):
    ids = NOISE.draw(k, RNG).ids
    drawn = Drawn(ids, NOISE.log_expected(ids, k), "kept", float(k))
    s = NOISE.log_q(torch.arange(Y)).expand(Y, Y)
    scores = noise_scores(s, WORDS, WORDS[ids], drawn, log_expected=NOISE.log_expected(torch.arange(Y), k))
    torch.testing.assert_close(binary_nce(scores), torch.full((Y,), binary_nce_anchor(k), dtype=torch.float64))
    torch.testing.assert_close(ranking_nce(scores), torch.full((Y,), k + 1.0, dtype=torch.float64).log())
