"""What runs on the CPU runs on a GPU, to the same numbers but for rounding. On the CPU the tests test themselves."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from infomax import Scores, fit, info_nce
from infomax.candidates import LogUniform, Queue
from infomax.encoders import StaticTextEncoder
from infomax.training import LazyAdam, cached_backward
from infomax.unnormalised import SampledLinear

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="torch finds no CUDA device")
TEXTS = [f"read the {noun} of a {other}" for noun in ("line", "page", "word") for other in ("file", "book", "letter")]


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=GPU)])
def device(request):
    return request.param


def pairs(n=300, d=24, dtype=torch.float32):
    rng = torch.Generator().manual_seed(0)
    return [normalize(torch.randn(n, d, generator=rng, dtype=torch.float64), dim=1).to(dtype) for _ in range(2)]


@pytest.mark.parametrize("backend", ["auto", "triton"])
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-5), (torch.bfloat16, 2e-2)]
)
def test_streamed_loss_and_gradients_are_the_dense_ones(device, dtype, tolerance, backend):
    if backend == "triton":
        pytest.importorskip("triton", reason="needs Triton")
    exact = [side.double().requires_grad_() for side in pairs(dtype=dtype)]
    logits, own = exact[0] @ exact[1].t() / 0.1, torch.arange(300)
    dense = (cross_entropy(logits, own) + cross_entropy(logits.t(), own)) / 2
    dense.backward()
    ours = [side.to(device).requires_grad_() for side in pairs(dtype=dtype)]
    loss = info_nce(Scores(*ours, temperature=0.1, backend=backend), symmetric=True).mean()
    loss.backward()
    assert loss.device.type == device
    assert float(loss.detach()) == pytest.approx(float(dense.detach()), rel=tolerance)
    for mine, other in zip(ours, exact, strict=True):
        error = (mine.grad.double().cpu() - other.grad).norm() / other.grad.norm()
        assert error < tolerance


def test_reductions_ids_and_a_queue(device):
    anchors, candidates = (side.to(device) for side in pairs())
    ids = torch.arange(300, device=device) // 2
    scores = Scores(anchors, candidates, temperature=0.1, anchor_ids=ids, candidate_ids=ids)
    alike = Scores(*pairs(), temperature=0.1, anchor_ids=ids.cpu(), candidate_ids=ids.cpu())
    for reduction in (Scores.logsumexp, lambda s: s.hardest()[0], Scores.positive):
        found, expected = reduction(scores), reduction(alike)
        torch.testing.assert_close(found.cpu(), expected, rtol=1e-4, atol=1e-4)
    assert (scores.rank().cpu() - alike.rank()).abs().max() <= 1  # a near tie may be rounded either way
    queue = Queue(64, 24).to(device)
    queue.enqueue(candidates[:40])
    assert bool(info_nce(queue.scores(anchors[:40], candidates[:40])).isfinite().all())


def test_a_static_encoder_takes_the_same_steps(device):
    tables = []
    for place in ("cpu", device):
        encoder = StaticTextEncoder.from_texts(TEXTS * 3, vocabulary_size=60, dim=8).to(place)
        optimizer = LazyAdam(encoder.parameters(), lr=0.01)
        for start in (0, 3, 1):
            optimizer.zero_grad()
            batch = TEXTS[start : start + 4]
            info_nce(Scores(encoder(batch), encoder(batch[::-1]), temperature=0.5)).mean().backward()
            optimizer.step()
        tables.append(encoder.table.detach().cpu())
    torch.testing.assert_close(*tables, rtol=1e-3, atol=1e-5)


def test_a_sampled_layer_learns(device):
    layer = SampledLinear(8, 1000, noise=LogUniform(1000), draws=50).to(device)
    hidden, targets = torch.randn(20, 8, device=device), torch.arange(20, device=device)
    optimizer, losses = LazyAdam(layer.parameters(), lr=0.1), []
    for _ in range(10):
        optimizer.zero_grad()
        loss = layer.loss(hidden, targets)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0]
    assert np.isfinite(layer.read(hidden, targets).perplexity)


def test_cached_gradients_are_those_at_once(device):
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 8)).to(device).double()
    x, y = (side.to(device) for side in pairs(40, dtype=torch.float64))

    def loss(a, b):
        return info_nce(Scores(a, b, temperature=0.5)).mean()

    loss(encoder(x), encoder(y)).backward()
    at_once = [p.grad.clone() for p in encoder.parameters()]
    encoder.zero_grad()
    assert cached_backward(loss, (encoder, x), (encoder, y), chunk=7).device.type == device
    for p, expected in zip(encoder.parameters(), at_once, strict=True):
        torch.testing.assert_close(p.grad, expected, rtol=1e-10, atol=1e-12)


def test_a_run_learns_as_on_the_cpu(device):
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(600, 4, generator=rng)
    y = x + 0.3 * torch.randn(600, 4, generator=rng)
    curves = []
    for place in ("cpu", device):
        torch.manual_seed(0)
        found = fit((x, y), encoder=nn.Linear(4, 8), device=place, epochs=2, batch_size=100, progress=False)
        curves.append([entry["loss"] for entry in found.history])
    assert curves[1] == pytest.approx(curves[0], rel=1e-3)
    assert curves[1][-1] < curves[1][0]
