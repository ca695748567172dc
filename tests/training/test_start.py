"""What a run begins with: the usual chunk and rate, and the encoder that is made where none is given."""

from __future__ import annotations

import torch
from torch import nn

from infomax.data import read_pairs
from infomax.training.start import choose_encoder, chosen_or_usual, weigh


def test_of_two_encoders_the_smaller_chunk_and_the_lower_rate_are_usual():
    one, other = nn.Identity(), nn.Identity()
    one.usual, other.usual = {"chunk": 32, "learning_rate": 5e-5}, {"chunk": 8, "learning_rate": 1e-3}
    assert chosen_or_usual((one, other), chunk=None, learning_rate=None) == (8, 5e-5)


def test_the_usual_encoder_weighs_both_sides_and_starts_by_the_seed(texts):
    pairs = read_pairs([(f"{anchor} only", candidate) for anchor, candidate in texts])
    one, other = (choose_encoder(None, pairs, None, seed) for seed in (1, 2))
    assert not torch.equal(one.table, other.table)
    weigh(one, pairs)
    other.weigh(other.prepare([text for column in (pairs.anchors, pairs.candidates) for text in column]))
    assert torch.allclose(one.weights, other.weights)
