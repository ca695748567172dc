"""Dropout twins."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from infomax.encoders import dropout_twins
from infomax.errors import InputError
from infomax.objectives import nt_xent


def test_twins_differ_by_dropout_alone_and_both_carry_a_gradient():
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Linear(5, 64), nn.Dropout(0.3))
    first, second = dropout_twins(encoder, torch.randn(8, 5))
    both = (first != 0) & (second != 0)
    assert torch.equal(first[both], second[both])
    assert 0 < both.double().mean() < 0.7
    nt_xent(first, second).mean().backward()
    assert encoder[0].weight.grad.abs().sum() > 0


def test_twins_that_cannot_be_told_are_refused():
    encoder = nn.Sequential(nn.Linear(5, 4), nn.Dropout(0.3)).eval()
    with pytest.raises(InputError, match=r"encoder\.train\(\)"):
        dropout_twins(encoder, torch.ones(2, 5))
    with pytest.raises(InputError, match="dropout"):
        dropout_twins(nn.Linear(5, 4), torch.ones(2, 5))
