"""The momentum copy: its recursion in closed form, its schedule, its buffers, its state; and no gradient."""

from __future__ import annotations

from math import cos, pi

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from torch import nn

from infomax.encoders import Momentum, cosine_momentum
from infomax.errors import InputError


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()


def shifted(module, by):
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(by)


@given(m=st.floats(0, 1), steps=st.lists(st.floats(-2, 2), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_it_is_the_weighted_sum_of_all_that_it_followed(m, steps):
    """θ'_n = m^n θ_0 + (1 - m) Σ_k m^(n-k) θ_k."""
    online = nn.Linear(2, 1, bias=False).double()
    slow, first, total = Momentum(online, m), online.weight.detach().clone(), torch.zeros(1, 2).double()
    for step in steps:
        shifted(online, step)
        slow.update(online)
        total = m * total + (1 - m) * online.weight.detach()
    torch.testing.assert_close(slow.module.weight.detach(), m ** len(steps) * first + total)


def test_the_schedule_is_that_of_byol_and_is_asked_by_the_updates_done():
    asked = []
    online = network()
    slow = Momentum(online, lambda step: asked.append(step) or 0.5)
    for _ in range(3):
        slow.update(online)
    assert asked == [0, 1, 2]
    momentum = cosine_momentum(40, start=0.99)
    assert [momentum(k) for k in range(41)] == pytest.approx([1 - 0.01 * (cos(pi * k / 40) + 1) / 2 for k in range(41)])
    assert momentum(100) == 1


def test_running_means_are_averaged_and_counts_taken_over():
    online = network()
    slow = Momentum(online, 0.75).eval()
    before = slow.module[1].running_mean.clone()
    online(torch.randn(50, 3, generator=torch.Generator().manual_seed(0)).double() + 5)
    slow.update(online)
    torch.testing.assert_close(slow.module[1].running_mean, 0.75 * before + 0.25 * online[1].running_mean)
    assert slow.module[1].num_batches_tracked == 1


def test_it_gives_no_gradient_and_changes_nothing_of_the_module():
    online, x = network(), torch.ones(4, 3).double().requires_grad_()
    before = [p.detach().clone() for p in online.parameters()]
    slow = Momentum(online, 0.5)
    assert not slow(x).requires_grad
    assert not any(p.requires_grad for p in slow.parameters())
    assert all(p.requires_grad for p in online.parameters())
    shifted(slow.module, 1.0)
    assert all(torch.equal(p, q) for p, q in zip(online.parameters(), before, strict=True))
    torch.testing.assert_close(Momentum(online.eval())(x), online(x).detach())


def test_a_saved_copy_goes_on_as_it_would_have():
    online, other = network(), network()
    slow, resumed = Momentum(online, cosine_momentum(10)), Momentum(other, cosine_momentum(10))
    for _ in range(3):
        shifted(online, 0.1)
        slow.update(online)
    resumed.load_state_dict(slow.state_dict())
    for copy in (slow, resumed):
        copy.update(online)
    assert int(resumed.updates) == 4
    assert all(torch.equal(p, q) for p, q in zip(slow.module.parameters(), resumed.module.parameters(), strict=True))


def test_shared_weights_stay_shared():
    layer = nn.Linear(2, 2)
    slow = Momentum(nn.Sequential(layer, layer), 0.5)
    assert slow.module[0].weight is slow.module[1].weight
    first = layer.weight.detach().clone()
    shifted(layer, 1.0)
    slow.update(nn.Sequential(layer, layer))
    torch.testing.assert_close(slow.module[0].weight, first + 0.5)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Momentum(nn.Linear(2, 2), 1.5), "from 0 to 1"),
        (lambda: Momentum(nn.Linear(2, 2).bfloat16()), "float32"),
        (lambda: Momentum(nn.LazyLinear(2)), "one batch"),
        (lambda: Momentum(nn.Linear(2, 2)).update(nn.Linear(3, 2)), "one of the same make"),
        (lambda: Momentum(nn.Linear(2, 2), lambda _: 2.0).update(nn.Linear(2, 2)), "the schedule gave"),
        (lambda: cosine_momentum(0), "steps"),
        (lambda: cosine_momentum(5, start=0.9, end=0.8), "start"),
    ],
)
def test_refusals(make, said):
    with pytest.raises(InputError, match=said):
        make()
