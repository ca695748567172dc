"""Spearman of cosines and gold scores."""

import pytest
import torch
from torch import nn

from infomax.encoders import StaticTextEncoder
from infomax.errors import InputError
from infomax.evaluation import spearman


def at_angles(angles):
    """Pairs of vectors at the given angles, of various lengths."""
    base = torch.tensor([1.0, 0.0])
    turned = [torch.tensor([torch.cos(a), torch.sin(a)]) * (1 + i) for i, a in enumerate(torch.tensor(angles))]
    return [(base * 3, v) for v in turned]


def test_equals_the_rank_formula():
    pairs, gold = at_angles([0.1, 0.5, 0.9, 1.3, 2.0]), [5, 3, 4, 1, 2]
    differences = [0, 1, 1, 1, 1]  # ranks by cosine are 5, 4, 3, 2, 1
    expected = 100 * (1 - 6 * sum(d * d for d in differences) / (5 * 24))
    got = spearman(nn.Identity(), [(a, b, g) for (a, b), g in zip(pairs, gold, strict=True)])
    assert got.value == pytest.approx(expected)
    assert got.n == 5


def test_any_increasing_scale_gives_the_same():
    pairs = at_angles([0.1, 0.5, 0.9, 1.3, 2.0])
    for scale in (lambda g: g, lambda g: g**3 + 7):
        got = spearman(nn.Identity(), [(a, b, scale(5 - i)) for i, (a, b) in enumerate(pairs)])
        assert got.value == pytest.approx(100)


def test_each_side_is_encoded_by_its_own():
    """Candidates turned round: every cosine changes its sign, and the order its direction."""
    turned = nn.Linear(2, 2, bias=False)
    nn.init.eye_(turned.weight).data.neg_()
    scored = [(a, b, -i) for i, (a, b) in enumerate(at_angles([0.1, 0.5, 0.9, 1.3, 2.0]))]
    assert spearman((nn.Identity(), turned), scored).value == pytest.approx(-100)


def test_texts_and_a_constant_encoder():
    texts = ["red apple", "green pear", "blue sky", "wide sea"]
    encoder = StaticTextEncoder.from_texts(texts * 2, dim=32)
    scored = [(t, t, 5.0) for t in texts] + [(t, "wide blue sea", 1.0) for t in texts[:2]]
    assert spearman(encoder, scored).value > 80
    assert spearman(_Constant(), [(t, t, i) for i, t in enumerate(texts)]).value == 0.0


class _Constant(nn.Module):
    def forward(self, texts):
        return torch.ones(len(texts), 2)


@pytest.mark.parametrize(
    ("scored", "words"),
    [
        ([("a", "b", 1.0)] * 3, "not all equal"),
        ([("a", "b", 1.0), ("a", "b", float("nan")), ("a", "b", 2.0)], "finite"),
        ([("a", "b", 1.0), ("a", "b", "x"), ("a", "b", 2.0)], "must be numbers"),
        ([("a", "b", 1.0), ("c", "d", 2.0)], "at least three"),
        ([("a", "b")] * 4, "triples"),
    ],
)
def test_what_cannot_be_correlated_is_said(scored, words):
    with pytest.raises(InputError, match=words):
        spearman(_Constant(), scored)
