"""Small worlds to learn in."""

from __future__ import annotations

import random
import signal

import pytest
import torch
from torch import nn


@pytest.fixture
def vectors():
    """200 pairs of vectors that share 3 of 8 directions."""
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(200, 3, generator=generator)

    def side():
        return torch.cat(
            [shared + 0.1 * torch.randn(200, 3, generator=generator), torch.randn(200, 5, generator=generator)], 1
        )

    return side(), side()


@pytest.fixture
def texts():
    """120 pairs of texts with common words."""
    rng = random.Random(0)
    words = [f"{a}{b}" for a in "bcdfghklmnprst" for b in ("ado", "eri", "ilu", "osa", "ume", "anto", "ilka")]
    pairs = []
    for _ in range(120):
        core = rng.sample(words, 5)
        pairs.append((" ".join(core[:4] + rng.sample(words, 4)), " ".join(core[1:] + rng.sample(words, 6))))
    return pairs


@pytest.fixture
def linear():
    """A function that makes the same small encoder each time."""

    def make() -> nn.Module:
        module = nn.Linear(8, 4, bias=True)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            module.weight.copy_(torch.randn(4, 8, generator=generator) / 8**0.5)
            module.bias.zero_()
        return module

    return make


@pytest.fixture(autouse=True)
def usual_signals():
    """As in a shell's foreground; a background job is started with SIGINT ignored."""
    former = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: signal.SIG_DFL}
    former = {number: signal.signal(number, handler) for number, handler in former.items()}
    yield
    for number, handler in former.items():
        signal.signal(number, handler)
