"""The sparse kernel against its plain definition in float64, gradients against dense autograd."""

import pytest
import torch

from infomax.encoders.bag import weighted_mean
from infomax.encoders.tokens import Tokens
from infomax.errors import InputError


def plain(table, weights, texts):
    """The definition, one text at a time."""
    zero = table.new_zeros(table.shape[1])
    return torch.stack([sum((weights[t] * table[t] for t in text), zero) / max(len(text), 1) for text in texts])


def drawn(seed, n=12, v=9, d=5, dtype=torch.float64):
    rng = torch.Generator().manual_seed(seed)
    texts = [torch.randint(0, v, (int(torch.randint(0, 7, (), generator=rng)),), generator=rng) for _ in range(n)]
    texts[3] = torch.empty(0, dtype=torch.long)
    texts[-1] = torch.empty(0, dtype=torch.long)
    lengths = torch.tensor([0, *map(len, texts)])
    tokens = Tokens(torch.cat(texts).int(), lengths.cumsum(0))
    table = torch.randn(v + 3, d, generator=rng, dtype=dtype)  # three rows that no text touches
    return tokens, [t.tolist() for t in texts], table, torch.rand(v + 3, generator=rng, dtype=dtype)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("sparse", [True, False])
def test_value_and_gradients_equal_the_definition(seed, sparse):
    tokens, texts, table, weights = drawn(seed)
    direction = torch.randn(len(texts), table.shape[1], dtype=torch.float64)
    ours, theirs = ([x.clone().requires_grad_() for x in (table, weights)] for _ in range(2))
    out, expected = weighted_mean(*ours, tokens, sparse_gradients=sparse), plain(*theirs, texts)
    torch.testing.assert_close(out, expected, rtol=1e-12, atol=1e-12)
    (out * direction).sum().backward()
    (expected * direction).sum().backward()
    for mine, wanted in zip(ours, theirs, strict=True):
        assert mine.grad.is_sparse == sparse
        torch.testing.assert_close(mine.grad.to_dense() if sparse else mine.grad, wanted.grad, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sparse", [True, False])
def test_weights_learn_over_a_frozen_table(sparse):
    tokens, texts, table, weights = drawn(0)
    weights.requires_grad_()
    weighted_mean(table, weights, tokens, sparse_gradients=sparse).sum().backward()
    (expected,) = torch.autograd.grad(plain(table, weights, texts).sum(), weights)
    assert torch.allclose(weights.grad.to_dense(), expected, rtol=1e-12, atol=1e-14)  # float64 sums of few terms


def test_gradcheck():
    tokens, _, table, weights = drawn(7, n=6, v=4, d=3)
    inputs = (table.requires_grad_(), weights.requires_grad_())
    assert torch.autograd.gradcheck(lambda t, w: weighted_mean(t, w, tokens, sparse_gradients=False), inputs)


def test_sparse_gradients_hold_the_touched_rows_once_in_order():
    tokens, texts, table, weights = drawn(1)
    table.requires_grad_()
    weighted_mean(table, weights, tokens).sum().backward()
    assert table.grad._indices()[0].tolist() == sorted({t for text in texts for t in text})


def test_two_uses_of_the_table_add_their_gradients():
    tokens, texts, table, weights = drawn(2)
    other, other_texts, _, _ = drawn(3)
    table.requires_grad_()
    (weighted_mean(table, weights, tokens).sum() + 2 * weighted_mean(table, weights, other).sum()).backward()
    dense = table.detach().clone().requires_grad_()
    (plain(dense, weights, texts).sum() + 2 * plain(dense, weights, other_texts).sum()).backward()
    torch.testing.assert_close(table.grad.to_dense(), dense.grad)


def test_a_batch_of_empty_texts_is_zero_and_has_no_gradient_rows():
    table, weights = torch.ones(3, 2, requires_grad=True), torch.ones(3)
    out = weighted_mean(table, weights, Tokens(torch.empty(0, dtype=torch.int32), torch.zeros(3, dtype=torch.int64)))
    assert out.tolist() == [[0, 0], [0, 0]]
    out.sum().backward()
    assert table.grad.to_dense().abs().sum() == 0


@pytest.mark.parametrize("sparse", [True, False])
def test_a_second_derivative_is_refused(sparse):
    tokens, _, *drawn_parameters = drawn(0)
    table, weights = (x.requires_grad_() for x in drawn_parameters)
    mean = weighted_mean(table, weights, tokens, sparse_gradients=sparse).mean()
    (first,) = torch.autograd.grad(mean, weights, create_graph=True)
    with pytest.raises(InputError, match="second derivative"):
        (first.to_dense() if sparse else first).sum().backward()
