"""From rows to vectors: one call for both sides, or one for each."""

import numpy as np
import torch

from infomax.data import read_pairs
from infomax.encoders import StaticTextEncoder
from infomax.training.encoding import Side, vectors


def test_sides_in_one_call_have_the_vectors_and_gradients_of_two(texts):
    pairs, rows, found = read_pairs(texts), np.array([5, 2, 9]), []
    for together in (True, False):
        encoder = StaticTextEncoder.from_texts([text for pair in texts for text in pair], dim=8).double()
        sides = [Side(encoder, column, normalize=True) for column in (pairs.anchors, pairs.candidates)]
        first, second = vectors(sides, rows) if together else (side(rows) for side in sides)
        (first[:, 0] - 2 * second[:, 1]).sum().backward()
        found.append([first, second, encoder.table.grad.to_dense(), encoder.weights.grad.to_dense()])
    for mine, other in zip(*found, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-12, atol=1e-14)


def test_vectors_are_scaled_by_whoever_is_asked_to(texts):
    pairs, rows = read_pairs(texts), np.arange(4)
    for own in (True, False):
        encoder = StaticTextEncoder.from_texts([text for pair in texts for text in pair], dim=8, normalize=own)
        for asked in (True, False):
            norms = Side(encoder, pairs.anchors, normalize=asked)(rows).norm(dim=1)
            assert torch.allclose(norms, torch.ones(4)) == (own or asked)
