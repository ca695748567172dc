"""Channels: capacities in closed form, by iteration, and by search over the inputs."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
import torch

from infomax import information as info
from infomax.errors import InputError

ERRORS = [0.0, 0.05, 0.3, 0.5, 0.9, 1.0]
BINARY = {
    "symmetric": (info.binary_symmetric_channel, info.binary_symmetric_capacity),
    "erasure": (info.binary_erasure_channel, info.binary_erasure_capacity),
    "z": (info.z_channel, info.z_capacity),
}


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("name", BINARY)
def test_capacity_is_the_best_over_all_inputs(name, error):
    channel, capacity = (part(error) for part in BINARY[name])
    shares = np.linspace(0, 1, 201)
    best = max(info.mutual_information(info.joint_through([1 - p, p], channel)) for p in shares)
    assert best <= capacity + 1e-12
    assert best == pytest.approx(capacity, abs=1e-4)
    found = info.channel_capacity(channel)
    assert found.nats - 1e-12 <= capacity <= found.nats + found.gap + 1e-12
    assert found.gap <= 1e-9


def test_the_law_found_reaches_the_capacity():
    channel = np.random.default_rng(0).dirichlet(np.ones(5), size=4)
    found = info.channel_capacity(channel)
    assert info.mutual_information(info.joint_through(found.input, channel)) == pytest.approx(found.nats, abs=1e-9)
    for other in np.random.default_rng(1).dirichlet(np.ones(4), size=200):
        assert info.mutual_information(info.joint_through(other, channel)) <= found.nats + found.gap + 1e-12


def test_noisy_typewriter():
    """Each of k keys is typed right or as the next: log(k / 2)."""
    channel = (np.eye(26) + np.roll(np.eye(26), 1, axis=1)) / 2
    assert info.channel_capacity(channel).nats == pytest.approx(log(13))


def test_an_input_that_is_never_worth_sending():
    """Two clean inputs and one that is pure noise: log 2, the third unused; limits hold though the iteration is slow there."""
    found = info.channel_capacity([[1, 0], [0, 1], [0.5, 0.5]])
    assert found.nats == pytest.approx(log(2), abs=1e-8)
    assert found.input[2] < 1e-6
    few = info.channel_capacity([[1, 0], [0.1, 0.9], [0.5, 0.5]], iterations=3)
    many = info.channel_capacity([[1, 0], [0.1, 0.9], [0.5, 0.5]])
    assert few.gap > 1e-3
    assert few.nats < many.nats < few.nats + few.gap


def test_a_channel_can_be_learnt_through():
    p = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
    nats = info.mutual_information(info.joint_through(p, info.z_channel(0.2)))
    assert nats.item() == pytest.approx(info.mutual_information(info.joint_through([0.3, 0.7], info.z_channel(0.2))))
    nats.backward()
    assert torch.isfinite(p.grad).all()
    channel = torch.tensor(info.z_channel(0.2), requires_grad=True)
    assert info.channel_capacity(channel).nats == pytest.approx(info.z_capacity(0.2), abs=1e-9)


def test_channels_refuse():
    with pytest.raises(InputError, match="row 1 sums to"):
        info.channel_capacity([[0.5, 0.5], [0.5, 0.4]])
    with pytest.raises(InputError, match="matrix"):
        info.channel_capacity([0.5, 0.5])
    with pytest.raises(InputError, match="each of the 2 inputs; got 3"):
        info.joint_through([0.2, 0.3, 0.5], info.z_channel(0.1))
    for build in (*(part for pair in BINARY.values() for part in pair),):
        with pytest.raises(InputError, match="between 0 and 1"):
            build(1.5)
