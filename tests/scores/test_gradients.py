"""First derivatives by finite differences, in float64."""

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import softplus

from infomax.scores import Scores, tiles

N, M, D = 5, 7, 3
REDUCTIONS = {
    "cross_entropy": lambda s: s.cross_entropy(),
    "cross_entropy, both": lambda s: s.cross_entropy("both"),
    "logsumexp": lambda s: s.logsumexp(positives="out", beta=1.5),
    "logsumexp, both": lambda s: s.logsumexp("both"),
    "total": lambda s: s.total(softplus),
    "positive": lambda s: s.positive(),
    "hardest": lambda s: s.hardest(2)[0],
}


@pytest.mark.parametrize("name", REDUCTIONS)
@pytest.mark.parametrize("backend", ["auto", "dense", "streamed"])
def test_gradcheck_in_every_input(name, backend, many_tiles):
    rng = torch.Generator().manual_seed(1)

    def normal(*shape):
        return torch.randn(*shape, generator=rng, dtype=torch.float64, requires_grad=True)

    def reduce(a, b, temperature, row, column):
        scores = Scores(a, b, temperature=temperature, row_offset=row, column_offset=column, backend=backend, cache=0)
        return REDUCTIONS[name](scores)

    temperature = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(reduce, (normal(N, D), normal(M, D), temperature, normal(N), normal(M)))


def test_a_second_backward_pass_gives_the_same_again():
    a = torch.randn(9, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = Scores(a, a.detach().clone(), backend="streamed").cross_entropy().mean()
    (first,) = torch.autograd.grad(loss, a, retain_graph=True)
    kept = first.clone()
    (second,) = torch.autograd.grad(loss, a)
    torch.testing.assert_close(second, kept)
    assert torch.equal(first, kept)


def test_an_input_changed_in_place_is_noticed():
    a = torch.randn(9, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    b = a.detach() * 2
    loss = Scores(a * 1, b, backend="streamed").logsumexp().sum()
    b += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_gradients_that_nobody_wants_are_not_made():
    a, b = torch.randn(9, 3), torch.randn(9, 3, requires_grad=True)
    Scores(a, b, backend="streamed").cross_entropy().mean().backward()
    assert a.grad is None
    assert b.grad is not None


@pytest.mark.parametrize("backend", ["auto", "dense", "streamed"])
def test_scores_may_be_read_without_gradients_first_and_used_twice(backend):
    """Nothing made under no_grad, or freed by a backward pass, is used again."""
    rng = torch.Generator().manual_seed(0)
    a, t = torch.randn(9, 3, generator=rng).requires_grad_(), torch.tensor(0.5, requires_grad=True)
    negatives = torch.randn(9, 2, 3, generator=rng).requires_grad_()
    scores = Scores(a, a.detach().clone(), temperature=t, negatives=negatives, backend=backend)
    with torch.no_grad():
        scores.cross_entropy()
        scores.rank()
    found = [torch.autograd.grad(scores.cross_entropy().mean(), (a, t, negatives)) for _ in range(2)]
    for first, second in zip(*found, strict=True):
        assert torch.equal(first, second)
        assert first.abs().sum() > 0


def test_no_gradient_is_formed_under_no_grad(monkeypatch):
    """An input that requires a gradient costs nothing more where none is recorded."""
    a = torch.randn(900, 3, requires_grad=True)
    monkeypatch.setattr(tiles.Gradients, "zeros", lambda *_: pytest.fail("a gradient was formed"))
    with torch.no_grad():
        Scores(a, a, backend="streamed").cross_entropy()
