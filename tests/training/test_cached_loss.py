"""`cached_loss`: a tensor whose backward pass is that of `cached_backward`, whatever a trainer does around it."""

import copy

import pytest
import torch
from torch import nn

from infomax.objectives import info_nce
from infomax.scores import Scores
from infomax.training import cached_backward, cached_loss

X, Y = torch.randn(2, 10, 6, generator=torch.Generator().manual_seed(0))


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(6, 8), nn.Dropout(0.4), nn.Tanh(), nn.Linear(8, 4))


def gradients(*modules):
    return [p.grad for module in modules for p in module.parameters()]


class Loss(nn.Module):
    def __init__(self):
        super().__init__()
        self.log_temperature = nn.Parameter(torch.tensor(-1.0))

    def forward(self, a, c):
        return info_nce(Scores(a, c, temperature=self.log_temperature.exp()), symmetric=True).mean()


@pytest.mark.parametrize("bf16", [False, True])
def test_the_gradient_is_that_of_cached_backward(bf16):
    """Scaled by what comes after the loss; the noise and the autocast of the forward pass, also where backward is outside."""
    encoder, loss = network(), Loss()
    twin, twin_loss = copy.deepcopy(encoder), copy.deepcopy(loss)
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        torch.manual_seed(1)
        expected = cached_backward(twin_loss, (twin, X), (twin, Y), chunk=4)
        torch.manual_seed(1)
        value = cached_loss(loss, (encoder, X), (encoder, Y), chunk=4)
    torch.manual_seed(2)  # what a trainer draws in between
    assert value.requires_grad
    assert not any(p.grad is not None for p in encoder.parameters())
    (4 * value).backward()
    assert value.detach() == expected
    for mine, other in zip(gradients(encoder, loss), gradients(twin, twin_loss), strict=True):
        torch.testing.assert_close(mine, 4 * other)


def test_without_gradients_it_is_the_value():
    encoder, loss = network().eval(), Loss()
    with torch.no_grad():
        value = cached_loss(loss, (encoder, X), (encoder, Y), chunk=4)
    assert not value.requires_grad
    torch.testing.assert_close(value, loss(encoder(X), encoder(Y)).detach())


def test_nothing_to_learn():
    """A frozen encoder: the loss's own parameters get their gradients."""
    encoder, loss = network().eval().requires_grad_(False), Loss()
    cached_loss(loss, (encoder, X), (encoder, Y), chunk=3).backward()
    expected = torch.autograd.grad(loss(encoder(X), encoder(Y)), loss.log_temperature)[0]
    torch.testing.assert_close(loss.log_temperature.grad, expected)
