"""TensorFlow's sampled losses: their definitions in plain numpy, their consistency by enumeration, their sampler's law."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from infomax.candidates import Inclusion, LogUniform, Unigram
from infomax.errors import InputError
from infomax.objectives import binary_nce, noise_scores, ranking_nce
from infomax.unnormalised import log_uniform_candidate_sampler, nce_loss, sampled_softmax_loss

V, D, N, K = 20, 5, 7, 9
RNG = torch.Generator().manual_seed(0)
WEIGHTS, BIASES = (torch.randn(*shape, generator=RNG, dtype=torch.float64) for shape in ((V, D), (V,)))
INPUTS = torch.randn(N, D, generator=RNG, dtype=torch.float64)


def labels(num_true: int) -> torch.Tensor:
    return torch.stack([torch.randperm(V, generator=RNG)[:num_true] for _ in range(N)])


def transcribed(w, b, y, x, sampled_values, remove_accidental_hits):
    """TensorFlow 2.21, nn_impl.py, `_compute_sampled_logits` with subtract_log_q, in numpy: logits and labels."""
    w, b, y, x = (v.numpy() for v in (w, b, y, x))
    sampled, true_count, sampled_count = (np.asarray(v) for v in sampled_values)
    num_true = y.shape[1]
    true_logits = np.array([[x[i] @ w[c] + b[c] for c in y[i]] for i in range(len(x))])
    sampled_logits = np.array([[x[i] @ w[c] + b[c] for c in sampled] for i in range(len(x))])
    if remove_accidental_hits:
        for i in range(len(x)):
            for j, c in enumerate(sampled):
                sampled_logits[i, j] += -np.finfo(np.float32).max if c in y[i] else 0.0
    logits = np.concatenate([true_logits - np.log(true_count), sampled_logits - np.log(sampled_count)], 1)
    return logits, np.concatenate([np.ones_like(true_logits) / num_true, np.zeros_like(sampled_logits)], 1)


def nce_of(logits, labels):
    """sigmoid_cross_entropy_with_logits, summed over the row."""
    return (np.maximum(logits, 0) - logits * labels + np.log1p(np.exp(-np.abs(logits)))).sum(1)


def softmax_of(logits, labels):
    """softmax_cross_entropy_with_logits."""
    top = logits.max(1, keepdims=True)
    return -(labels * (logits - top - np.log(np.exp(logits - top).sum(1, keepdims=True)))).sum(1)


@pytest.mark.parametrize("remove_accidental_hits", [False, True])
@pytest.mark.parametrize("num_true", [1, 3])
@pytest.mark.parametrize(("loss", "reduced"), [(nce_loss, nce_of), (sampled_softmax_loss, softmax_of)])
def test_the_definition(loss, reduced, num_true, remove_accidental_hits):
    y = labels(num_true)
    values = log_uniform_candidate_sampler(y, num_true, K, True, V, seed=1)
    assert (y.unsqueeze(2) == values.sampled_candidates).any()  # there are hits to remove
    want = reduced(*transcribed(WEIGHTS, BIASES, y, INPUTS, values, remove_accidental_hits))
    given = {"sampled_values": values, "remove_accidental_hits": remove_accidental_hits}
    got = loss(WEIGHTS, BIASES, y, INPUTS, K, V, num_true, **given)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-12)
    drawn_inside = loss(WEIGHTS, BIASES, y, INPUTS, K, V, num_true, None, remove_accidental_hits, seed=1)
    assert torch.equal(drawn_inside, got)


@pytest.mark.parametrize("remove_accidental_hits", [False, True])
@pytest.mark.parametrize("loss", [nce_loss, sampled_softmax_loss])
def test_gradients(loss, remove_accidental_hits):
    y = labels(2)
    leaves = [x.clone().requires_grad_() for x in (WEIGHTS, BIASES, INPUTS)]
    values = log_uniform_candidate_sampler(y, 2, K, True, V, seed=1)
    assert torch.autograd.gradcheck(
        lambda w, b, x: loss(w, b, y, x, K, V, 2, values, remove_accidental_hits), leaves, fast_mode=True
    )


def test_the_defaults_are_tensorflows():
    y = labels(1)
    default = sampled_softmax_loss(WEIGHTS, BIASES, y, INPUTS, K, V, seed=2)
    removed = sampled_softmax_loss(WEIGHTS, BIASES, y, INPUTS, K, V, remove_accidental_hits=True, seed=2)
    assert torch.equal(default, removed)
    default, kept = (nce_loss(WEIGHTS, BIASES, y, INPUTS, K, V, **given, seed=2) for given in ({}, {"num_true": 1}))
    assert torch.equal(default, kept)
    assert (default > nce_loss(WEIGHTS, BIASES, y, INPUTS, K, V, remove_accidental_hits=True, seed=2)).any()


@pytest.mark.parametrize("sampler", [Unigram(range(1, V + 1)), Inclusion(Unigram(range(1, V + 1)))])
def test_with_our_samplers_they_are_our_objectives(sampler):
    y, drawn = labels(1), sampler.draw(K, torch.Generator().manual_seed(3))
    expected = sampler.log_expected(y, K)
    values = (drawn.ids, expected.exp(), drawn.log_expected.exp())
    scores = noise_scores(
        INPUTS, WEIGHTS[y[:, 0]], WEIGHTS[drawn.ids], drawn, log_expected=expected[:, 0], targets=y[:, 0],
        positive_bias=BIASES[y[:, 0]], noise_bias=BIASES[drawn.ids],
    )  # fmt: skip
    for loss, objective in ((nce_loss, binary_nce), (sampled_softmax_loss, ranking_nce)):
        got = loss(WEIGHTS, BIASES, y, INPUTS, len(drawn.ids), V, 1, values, drawn.hits == "masked")
        torch.testing.assert_close(got, objective(scores))


def population_optimum(loss, draws, remove_accidental_hits: bool, p: torch.Tensor) -> torch.Tensor:
    """The biases (V,) that minimise the loss expected over data and draws, each with its probability."""
    theta, every = torch.zeros(len(p), dtype=torch.float64, requires_grad=True), torch.arange(len(p)).unsqueeze(1)
    nothing, draws = torch.zeros(len(p), 1, dtype=torch.float64), list(draws)
    optimizer = torch.optim.LBFGS(
        [theta], max_iter=60, tolerance_grad=1e-10, tolerance_change=1e-16, line_search_fn="strong_wolfe"
    )

    def closure():
        optimizer.zero_grad()
        total = sum(
            probability * (p * loss(nothing, theta, every, nothing, 2, len(p), 1, values, remove_accidental_hits)).sum()
            for values, probability in draws
        )
        total.backward()
        return total

    optimizer.step(closure)
    return theta.detach()


P = torch.tensor([0.45, 0.3, 0.25], dtype=torch.float64)
Q = LogUniform(3).log_q(torch.arange(3)).exp()


def tensorflows_draws():
    """Every outcome of draws until two classes differ: the first class comes 1 + again times, then the second."""
    for first in range(3):
        for second in {0, 1, 2} - {first}:
            for again in range(30):
                tries = 2 + again
                count = 2 * Q if tries == 2 else 1 - (1 - Q) ** tries
                ids = torch.tensor([first, second])
                yield (ids, count.unsqueeze(1), count[ids]), float(Q[first] ** (1 + again) * Q[second])


def independent_draws():
    """Every pair of independent draws."""
    for ids in torch.cartesian_prod(torch.arange(3), torch.arange(3)):
        yield (ids, 2 * Q.unsqueeze(1), 2 * Q[ids]), float(Q[ids].prod())


def divergence(theta: torch.Tensor) -> float:
    return float((P * (P.log() - theta.log_softmax(0))).sum())


def test_independent_draws_with_hits_kept_are_consistent():
    theta = population_optimum(sampled_softmax_loss, independent_draws(), False, P)
    assert abs(divergence(theta)) < 1e-10
    theta = population_optimum(nce_loss, independent_draws(), False, P)
    torch.testing.assert_close(theta, P.log(), atol=1e-6, rtol=0)


def test_removed_hits_answer_another_question():
    theta = population_optimum(nce_loss, independent_draws(), True, P)
    torch.testing.assert_close(theta, (P / (1 - P)).log(), atol=1e-6, rtol=0)  # the log odds
    theta = population_optimum(sampled_softmax_loss, independent_draws(), True, P)
    assert divergence(theta) > 1e-3
    assert theta.softmax(0)[0] > P[0] + 0.01  # the frequent class too likely


def test_tensorflows_own_draws_are_not_consistent():
    assert sum(p for _, p in tensorflows_draws()) == pytest.approx(1, abs=1e-8)
    for remove_accidental_hits in (False, True):
        theta = population_optimum(sampled_softmax_loss, tensorflows_draws(), remove_accidental_hits, P)
        assert divergence(theta) > 1e-4


@pytest.mark.parametrize("unique", [True, False])
def test_the_sampler_draws_by_its_law(unique):
    classes, k, rounds = 12, 4, 300
    rng, q = torch.Generator().manual_seed(0), LogUniform(classes).log_q(torch.arange(classes)).exp()
    firsts, ids = torch.zeros(classes, dtype=torch.float64), []
    retried = 0
    for _ in range(rounds):
        values = log_uniform_candidate_sampler(torch.arange(classes)[:, None], 1, k, unique, classes, rng)
        firsts[values.sampled_candidates[0]] += 1
        ids.append(values.sampled_candidates)
        assert torch.equal(values.true_expected_count[values.sampled_candidates, 0], values.sampled_expected_count)
        if not unique:
            torch.testing.assert_close(values.true_expected_count[:, 0], k * q)
        elif not torch.allclose(values.true_expected_count[:, 0], k * q):
            tries = float((-values.true_expected_count[:, 0]).log1p()[0] / (-q[0]).log1p())
            assert tries == pytest.approx(round(tries), abs=1e-6)
            assert tries > k
            retried += 1
    assert all(len(i.unique()) == k for i in ids) == unique
    assert (retried > rounds / 3) == unique
    assert ((firsts / rounds - q).abs() < 4 * (q * (1 - q) / rounds).sqrt()).all()  # the first draw has law q
    if unique:  # the second, given the first, has q renewed without it
        second = torch.stack(ids)[:, 1].bincount(minlength=classes) / rounds
        want = sum(q[a] * (q / (1 - q[a])).index_fill(0, torch.tensor(a), 0.0) for a in range(classes))
        assert ((second - want).abs() < 4 * (want * (1 - want) / rounds).sqrt()).all()


def test_seeds():
    y = labels(1)

    def drawn(seed):
        return log_uniform_candidate_sampler(y, 1, K, True, V, seed).sampled_candidates

    assert torch.equal(drawn(4), drawn(4))
    rng = torch.Generator().manual_seed(4)
    assert torch.equal(drawn(rng), drawn(4))
    assert not torch.equal(drawn(rng), drawn(4))
    torch.manual_seed(4)
    assert torch.equal(drawn(None), drawn(4))
    assert not torch.equal(drawn(None), drawn(4))
    assert len(drawn(0).unique()) == K
    every = log_uniform_candidate_sampler(y, 1, V, True, V, 0)
    assert torch.equal(every.sampled_candidates.sort().values, torch.arange(V))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"weights": WEIGHTS[:3]}, r"weights must be a tensor \(20, 5\); got \(3, 5\)"),
        ({"biases": BIASES[:3]}, r"biases must be a tensor \(20,\); got \(3,\)"),
        ({"labels": torch.zeros(N, dtype=torch.int64)}, r"labels must be an integer tensor \(n, 1\); got \(7,\)"),
        ({"labels": torch.zeros(N, 2, dtype=torch.int64)}, r"labels must be an integer tensor \(n, 1\); got \(7, 2\)"),
        ({"labels": torch.full((N, 1), V)}, "labels must lie from 0 to 19; got 20 to 20"),
        ({"inputs": INPUTS[:3]}, r"inputs must be a tensor \(7, d\), a row for each row of labels; got \(3, 5\)"),
        ({"inputs": [1.0]}, r"inputs must be a tensor \(7, d\), a row for each row of labels; got list"),
        ({"num_sampled": V + 1}, "num_sampled must be a positive integer to the 20 classes; got 21"),
        ({"num_sampled": 0}, "num_sampled must be a positive integer"),
        (
            {"sampled_values": (torch.arange(3), torch.ones(N, 1), torch.ones(3))},
            r"sampled_values must be \(9,\) classes",
        ),
        ({"sampled_values": (torch.arange(K), torch.zeros(N, 1), torch.ones(K))}, "an expected count is 0"),
        ({"sampled_values": (torch.arange(K) + V, torch.ones(N, 1), torch.ones(K))}, "class ids must lie from 0 to 19"),
    ],
)
@pytest.mark.parametrize("loss", [nce_loss, sampled_softmax_loss])
def test_bad_arguments(loss, change, match):
    given = {"weights": WEIGHTS, "biases": BIASES, "labels": labels(1), "inputs": INPUTS, "num_sampled": K}
    with pytest.raises(InputError, match=match):
        loss(**(given | {"num_classes": V} | change))
