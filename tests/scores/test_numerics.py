"""What must hold of the numbers in finite precision."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn.functional import cross_entropy, normalize

from infomax.scores import Scores, product, tiles

OVER = ["candidates", "both"]


def unit_pairs(n: int, m: int, d: int, seed: int = 0, dtype=torch.float32) -> tuple[torch.Tensor, torch.Tensor]:
    rng = torch.Generator().manual_seed(seed)
    q = normalize(torch.randn(n, d, generator=rng), dim=1)
    k = normalize(torch.randn(m, d, generator=rng), dim=1)
    k[:n] = normalize(q + 0.7 * k[:n], dim=1)
    return q.to(dtype), k.to(dtype)


def value_and_gradients(q, k, temperature, backend, over, dtype):
    q, k = q.detach().to(dtype).requires_grad_(), k.detach().to(dtype).requires_grad_()
    t = (
        torch.tensor(temperature, dtype=torch.float64)
        .to(dtype if dtype == torch.float64 else torch.float32)
        .requires_grad_()
    )
    losses = Scores(q, k, temperature=t, backend=backend).cross_entropy(over)
    losses = torch.stack(losses).mean(0) if over == "both" else losses
    losses.mean().backward()
    return [x.double() for x in (losses.detach(), q.grad, k.grad, t.grad)]


def rms_error(got: torch.Tensor, exact: torch.Tensor) -> float:
    return float((got - exact).square().mean().sqrt() / exact.square().mean().sqrt())


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("temperature", [1.0, 0.05, 0.01])
@pytest.mark.parametrize("path", ["mm", "onednn"])
def test_float32_is_as_accurate_as_the_dense_form(over, temperature, path, monkeypatch):
    """Errors against float64 of both forms are sums of roundings of one size; oneDNN sums in one chain, hence the factor."""
    monkeypatch.setattr(product, "_float32_cpu", lambda: getattr(product, path))
    q, k = unit_pairs(700, 700 if over == "both" else 1500, 96)
    # both are given the float32 temperature, so that only the arithmetic differs
    t = float(torch.tensor(temperature))
    exact = value_and_gradients(q, k, t, "dense", over, torch.float64)
    plain = value_and_gradients(q, k, t, "dense", over, torch.float32)
    ours = value_and_gradients(q, k, t, "streamed", over, torch.float32)
    factor = {"mm": 1.5, "onednn": 3.0}[path]
    for mine, theirs, true in zip(ours, plain, exact, strict=True):
        assert rms_error(mine, true) <= factor * rms_error(theirs, true) + 2e-7


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_inputs_are_summed_in_float32(over, dtype):
    """The only error is the rounding of the gradients to the dtype: the half inputs, taken as exact, give float32 losses.

    The sum, not the mean, so that float16's gradients are not subnormal.
    """
    q, k = unit_pairs(300, 300, 64, dtype=dtype)
    exact = value_and_gradients(q, k, 0.05, "dense", over, torch.float64)
    q, k = q.requires_grad_(), k.requires_grad_()
    losses = Scores(q, k, temperature=0.05, backend="streamed").cross_entropy(over)
    losses = torch.stack(losses).mean(0) if over == "both" else losses
    losses.sum().backward()
    assert losses.dtype == torch.float32
    assert q.grad.dtype == dtype
    assert rms_error(losses.detach().double(), exact[0]) < 2e-6
    assert rms_error(q.grad.double(), len(q) * exact[1]) < torch.finfo(dtype).eps
    assert rms_error(k.grad.double(), len(q) * exact[2]) < torch.finfo(dtype).eps


@pytest.mark.parametrize("backend", ["auto", "dense", "streamed"])
def test_a_tiny_loss_keeps_its_digits(backend):
    """Orthonormal pairs: loss = log(1 + (n - 1) e^{-1/t}), far below the rounding of a log-sum-exp of size 1/t."""
    n, t = 8, 0.04
    q = torch.eye(n)
    want = math.log1p((n - 1) * math.exp(-1 / t))
    for over in OVER:
        got = Scores(q, q, temperature=t, backend=backend).cross_entropy(over)
        for losses in got if over == "both" else [got]:
            torch.testing.assert_close(losses.double(), torch.full((n,), want, dtype=torch.float64), rtol=1e-5, atol=0)


@pytest.mark.parametrize("backend", ["auto", "dense", "streamed"])
def test_a_positive_far_below_its_negatives_stays_finite(backend):
    """At temperature 0.01 an anti-aligned positive lies 200 nats below; float32 powers reach 88."""
    q = torch.eye(4).requires_grad_()
    k = torch.eye(4)
    k[0] = -k[0]
    k[1] = q.detach()[0]
    loss = Scores(q, k, temperature=0.01, backend=backend).cross_entropy()
    torch.testing.assert_close(loss[0].item(), 200.0, rtol=1e-6, atol=0)
    loss.mean().backward()
    assert torch.isfinite(q.grad).all()


@pytest.mark.parametrize("over", OVER)
def test_extreme_scores_agree_with_float64(over):
    """Scores of several thousand nats, mixed with small ones, need the running maxima."""
    rng = torch.Generator().manual_seed(3)
    q = torch.randn(60, 8, generator=rng) * torch.logspace(-3, 1.5, 60).unsqueeze(1)
    k = torch.randn(60, 8, generator=rng) * torch.logspace(1.5, -3, 60).unsqueeze(1)
    exact = value_and_gradients(q, k, 0.01, "dense", over, torch.float64)
    got = value_and_gradients(q, k, 0.01, "streamed", over, torch.float32)
    for mine in got:
        assert torch.isfinite(mine).all()
    # a score of size s is rounded by s * 2^-24 at best, and a loss by as much
    largest = (q.double() @ k.double().t() / 0.01).abs().max().item()
    assert (got[0] - exact[0]).abs().max() < largest * 2**-22


@pytest.mark.parametrize("over", OVER)
@pytest.mark.parametrize(
    ("n", "m", "d"), [(1, 2, 1), (1, 700, 3), (3, 3, 1), (513, 1025, 2), (600, 600, 1024), (2, 1500, 1024)]
)
def test_any_shape(n, m, d, over):
    if over == "both":
        n, m = max(n, 2), max(n, 2)
    q, k = unit_pairs(n, m, d)
    exact = value_and_gradients(q, k, 0.2, "dense", over, torch.float64)
    got = value_and_gradients(q, k, 0.2, "streamed", over, torch.float64)
    for mine, true in zip(got, exact, strict=True):
        torch.testing.assert_close(mine, true, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("over", OVER)
def test_two_runs_agree_bit_for_bit(over):
    q, k = unit_pairs(1100, 1100, 40)
    first, second = (value_and_gradients(q, k, 0.05, "streamed", over, torch.float32) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a, b)


def test_eager_and_lazy_gradients_agree():
    q, k = unit_pairs(1100, 1300, 40, dtype=torch.float64)
    found = []
    for eager in (True, False):
        q, k = q.detach().requires_grad_(), k.detach().requires_grad_()
        Scores(q, k, temperature=0.05).cross_entropy(eager=eager).sum().backward()
        found.append((q.grad, k.grad))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("backend", ["auto", "dense", "streamed"])
def test_autocast_does_not_reach_into_the_sums(backend):
    q, k = unit_pairs(80, 80, 16)
    want = Scores(q, k, temperature=0.05, backend=backend).cross_entropy("both")
    with torch.autocast("cpu", torch.bfloat16):
        got = Scores(q, k, temperature=0.05, backend=backend).cross_entropy("both")
    for a, b in zip(got, want, strict=True):
        assert torch.equal(a, b)


def test_strided_inputs_are_as_good_as_contiguous_ones():
    q, k = unit_pairs(700, 700, 64)
    wide = torch.cat([q, k], 1)
    want = Scores(q, k, backend="streamed").cross_entropy("both")
    got = Scores(wide[:, :64], wide[:, 64:], backend="streamed").cross_entropy("both")
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b)


def test_both_products_give_the_product():
    rng = torch.Generator().manual_seed(0)
    x, w, bias = torch.randn(33, 20, generator=rng), torch.randn(47, 20, generator=rng), torch.randn(47, generator=rng)
    want = (x.double() @ w.double().t() + bias.double()).float()
    for multiply in (product.mm, product.onednn):
        torch.testing.assert_close(multiply(x, w, bias), want)
        torch.testing.assert_close(multiply(x.t().contiguous().t(), w, bias), want)
        torch.testing.assert_close(multiply(x, w.t().contiguous().t(), bias), want)
        torch.testing.assert_close(
            multiply(x[::2, ::2], w[::2, ::2], None), (x[::2, ::2].double() @ w[::2, ::2].double().t()).float()
        )


@pytest.mark.parametrize("forced", ["mm", "onednn"])
def test_the_product_can_be_forced_and_is_shown(forced, monkeypatch):
    monkeypatch.setenv("INFOMAX_PRODUCT", forced)
    product._float32_cpu.cache_clear()
    q, k = unit_pairs(700, 700, 4)
    assert (
        repr(Scores(q, k, temperature=0.5)) == f"Scores(700 x 700, d=4, float32, temperature=0.5, streamed by {forced})"
    )
    product._float32_cpu.cache_clear()


def test_the_unshifted_path_is_left_before_it_overflows():
    """Sums over 2^40 columns of scores at the limit, and the weights made from them, stay inside float32."""
    assert 2.0 ** (tiles.UNSHIFTED_BITS + 40) < torch.finfo(torch.float32).max
    assert 2.0**-tiles.UNSHIFTED_BITS > torch.finfo(torch.float32).tiny * 2**40
    assert 2.0 ** (tiles.UNSHIFTED_BITS + 40 + tiles.LONG_BITS) < torch.finfo(torch.float32).max


@pytest.mark.parametrize("backend", ["auto", "streamed"])
@pytest.mark.parametrize("length", [1e17, 1e-17])
@pytest.mark.parametrize("sign", [1, -1])
def test_long_vectors(sign, length, backend):
    """All scores near ±79 bits, of candidates (or anchors) so long that 2^s (or the weights 2^-s) times them is not finite.

    Four products a score: there is no order of sums to tell the forms apart, hence the smaller factor of the test above.
    """
    along = torch.full((1, 4), 0.5) * torch.linspace(0.99, 1, 600).unsqueeze(1)
    given = sign * 54.8 / length * along, length * along, 1.0
    exact = value_and_gradients(*given, "dense", "candidates", torch.float64)
    plain = value_and_gradients(*given, "dense", "candidates", torch.float32)
    ours = value_and_gradients(*given, backend, "candidates", torch.float32)
    for mine, theirs, true in zip(ours, plain, exact, strict=True):
        assert rms_error(mine, true) <= 1.5 * rms_error(theirs, true)


@pytest.mark.parametrize("name", ["mm", "onednn"])
@pytest.mark.parametrize(("n", "k", "m"), [(200, 150, 100), (300, 300, 40), (5, 4, 3)])
def test_the_turned_product(name, n, k, m):
    """Whichever side is copied for it: equal to x.T @ w, and contiguous."""
    rng = torch.Generator().manual_seed(0)
    x, w = torch.randn(n, k, generator=rng), torch.randn(n, m, generator=rng)
    got = product.turned_product(x, w, getattr(product, name))
    assert got.is_contiguous()
    torch.testing.assert_close(got.double(), x.double().t() @ w.double(), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("bits", [40.0, 51.0, 53.0, 62.0, 66.0, 79.0, 81.0, 470.0])
def test_positives_far_below_their_negatives_in_one_tile(bits):
    """s is -bits for the true pair and +bits for the others: their quotient is 2^(2·bits) and more."""
    size = (bits * math.log(2)) ** 0.5
    q = torch.full((200, 1), size)
    k = torch.full((200, 1), size)
    k[7] = -size
    inputs = [x.requires_grad_() for x in (q, k)]
    both = Scores(*inputs).cross_entropy("both")
    exact = [x.detach().double().requires_grad_() for x in inputs]
    s = exact[0] @ exact[1].T
    own = torch.arange(200)
    want = cross_entropy(s, own, reduction="none"), cross_entropy(s.T, own, reduction="none")
    for got, true in zip(both, want, strict=True):
        torch.testing.assert_close(got.double(), true, rtol=1e-5, atol=1e-5)
        gradients = zip(
            torch.autograd.grad(got.mean(), inputs, retain_graph=True),
            torch.autograd.grad(true.mean(), exact, retain_graph=True),
            strict=True,
        )
        for ours, theirs in gradients:
            torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-6 * size)
