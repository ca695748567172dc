"""The evaluation of held-out pairs: each number against its definition."""

from dataclasses import replace
from math import log

import numpy as np
import pytest
import torch
from torch import nn

from infomax.data import read_pairs
from infomax.encoders import StaticTextEncoder, lineage
from infomax.errors import InputError
from infomax.evaluation import Retrieval, embed, evaluate, retrieval
from infomax.evaluation.vectors import Part, Prepared, TwoSided, lengths, prepared, remembered, sides

TEXTS = [(f"alpha{i} beta{i} gamma", f"gamma alpha{i} delta{i}") for i in range(30)]


@pytest.fixture
def vectors():
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(60, 5, generator=generator)
    return x, x + 0.5 * torch.randn(60, 5, generator=generator)


def test_readout_is_info_nce_over_all_candidates(vectors):
    found = evaluate(nn.Identity(), vectors, temperature=0.2)
    a, c = (nn.functional.normalize(v.double(), dim=1) for v in vectors)
    scores = a @ c.T / 0.2
    loss = float((scores.logsumexp(1) - scores.diag()).mean())
    assert found.readout.loss == pytest.approx(loss, abs=1e-5)
    assert found.readout.ceiling == pytest.approx(log(60))
    assert found.readout.side == "lower bound"
    assert found.fitted == retrieval(a.float(), c.float())
    assert found.untrained is None
    assert found.bm25 is None


def test_repeated_texts_are_masked_in_retrieval_but_not_in_the_bound():
    pairs = read_pairs([*TEXTS, *[(f"alpha{i} again beta{i}", TEXTS[i][1]) for i in range(5)]])
    assert len(np.unique(pairs.ids)) == 30
    encoder = StaticTextEncoder.from_texts([t for pair in TEXTS for t in pair], dim=64, vocabulary_size=300)
    found = evaluate(encoder, pairs)
    assert found.readout.candidates == 35
    assert found.readout.side == "lower bound"
    assert found.fitted.recall[1] == 1.0
    assert found.bm25.recall[1] == 1.0


def test_groups_widen_the_standard_error(vectors):
    x, y = (v.repeat_interleave(4, 0) + 1e-4 * torch.randn(240, 5) for v in vectors)
    pairs = read_pairs((x, y))
    alone = evaluate(nn.Identity(), pairs, temperature=0.2).readout.standard_error
    grouped = replace(pairs, groups=np.repeat(np.arange(60), 4))
    assert evaluate(nn.Identity(), grouped, temperature=0.2).readout.standard_error > 1.5 * alone


def test_score_samples_are_of_true_and_of_chance_pairs(vectors):
    found = evaluate(nn.Identity(), vectors, temperature=0.2, samples=1000)
    a, c = (nn.functional.normalize(v, dim=1) for v in vectors)
    scores = a @ c.T / 0.2
    assert sorted(found.positive_scores) == pytest.approx(sorted(scores.diag().tolist()), abs=1e-5)
    off = scores[~torch.eye(60, dtype=torch.bool)]
    assert len(found.negative_scores) == 1000
    assert np.mean(found.negative_scores) == pytest.approx(float(off.mean()), abs=5 * float(off.std()) / 1000**0.5)
    assert found == evaluate(nn.Identity(), vectors, temperature=0.2, samples=1000)


def test_chance_pairs_are_never_true_pairs():
    apart = torch.eye(5)  # 1 with itself, 0 with all others
    found = evaluate(nn.Identity(), (apart, apart), temperature=0.5, samples=200)
    assert set(found.positive_scores) == {2.0}
    assert set(found.negative_scores) == {0.0}


def test_another_seed_draws_other_samples(vectors):
    first, second = (evaluate(nn.Identity(), vectors, seed=seed) for seed in (1, 2))
    assert first.negative_scores != second.negative_scores
    assert first.examples != second.examples


def test_figures_on_pairs_that_it_was_fitted_to_are_no_bound(vectors):
    pairs, encoder = read_pairs(vectors), nn.Linear(5, 5)
    lineage.add(pairs, encoder)
    found = evaluate(encoder, pairs).readout
    assert found.side == "score"
    assert "was fitted to" in found.reason


def test_examples_show_the_nearest():
    encoder = StaticTextEncoder.from_texts([t for pair in TEXTS for t in pair], dim=64, vocabulary_size=300)
    examples = evaluate(encoder, TEXTS, examples=3).examples
    assert len(examples) == 3
    for anchor, label, hits in examples:
        assert (anchor, label) in TEXTS
        assert hits[0][0] == label
        assert len(hits) == 5
        assert [v for _, v in hits] == sorted([v for _, v in hits], reverse=True)


def test_untrained_by_encoder_or_by_its_retrieval(vectors):
    shuffled = nn.Linear(5, 5, bias=False)
    by_encoder = evaluate(nn.Identity(), vectors, untrained=shuffled).untrained
    a, c = (embed(shuffled, v) for v in map(_column, vectors))
    assert by_encoder == retrieval(a, c)
    known = Retrieval({1: 0.5}, 0.5, 2, 2)
    assert evaluate(nn.Identity(), vectors, untrained=known).untrained is known


def test_the_untrained_encoder_is_read_as_the_fitted_one(vectors):
    """By inner products, where lengths count, and without copies of the answer: the same encoder in both places."""
    x, y = (v * torch.logspace(-1, 1, 60)[:, None] for v in vectors)
    ids = np.arange(60) // 4
    pairs = replace(read_pairs((x, y)), ids=ids)
    found = evaluate(nn.Identity(), pairs, normalize=False, untrained=nn.Identity(), ks=(2, 7))
    assert found.untrained == found.fitted == retrieval(x, y, ids=ids, ks=(2, 7))


def test_bm25_looks_as_deep_as_the_encoder():
    encoder = StaticTextEncoder.from_texts([t for pair in TEXTS for t in pair], dim=8)
    found = evaluate(encoder, TEXTS, ks=(2, 7))
    assert list(found.bm25.recall) == list(found.fitted.recall) == [2, 7]


def _column(values):
    from infomax.data import TensorColumn

    return TensorColumn(values)


def test_two_sides_encode_their_own_side(vectors):
    double = nn.Linear(5, 5, bias=False)
    nn.init.eye_(double.weight).data.mul_(2)
    flip = nn.Linear(5, 5, bias=False)
    nn.init.eye_(flip.weight).data.mul_(-1)
    same = evaluate((double, double), vectors).readout.bound
    assert evaluate(TwoSided(double, flip), vectors).readout.bound < 0 < same


def test_embedding_is_in_evaluation_mode_and_chunked(vectors):
    module = nn.Sequential(nn.Dropout(0.5), nn.Identity())
    module.train()
    whole = embed(module, _column(vectors[0]))
    assert torch.equal(whole, embed(module, _column(vectors[0]), chunk=7))
    assert module.training
    assert torch.allclose(whole.norm(dim=1), torch.ones(60))
    assert torch.equal(embed(module, _column(vectors[0]), normalize=False), vectors[0])


def test_texts_are_tokenised_once():
    encoder = StaticTextEncoder.from_texts([t for pair in TEXTS for t in pair], dim=8)
    pairs = read_pairs(TEXTS)
    held = remembered(encoder, pairs.anchors)
    assert isinstance(held, Prepared)
    assert prepared(encoder, held) is held.tokens
    other = StaticTextEncoder.from_texts(["something else"] * 2, dim=8)
    assert prepared(other, held) is not held.tokens
    assert held[np.array([3])] == [TEXTS[3][0]]
    assert torch.equal(embed(encoder, prepared(encoder, held)), embed(encoder, pairs.anchors))


def test_some_rows_of_a_column_have_their_own_lengths():
    class Counted:
        def lengths(self, rows):
            return 10 * rows

    chosen, rows = np.array([7, 3, 5]), np.array([2, 0])
    assert lengths(Part(Counted(), chosen), rows).tolist() == [50, 70]
    assert lengths(Part(TEXTS, chosen), rows) is None


@pytest.mark.parametrize("bad", [None, "encoder", (nn.Identity(),), (nn.Identity(), 3)])
def test_what_is_no_encoder_is_said(bad):
    with pytest.raises(InputError, match="tuple of two"):
        sides(bad)


def test_an_encoder_without_one_vector_a_row_is_said(vectors):
    class Mean(nn.Module):
        def forward(self, x):
            return x.mean(0)

    with pytest.raises(InputError, match=r"shape \(60, d\), got \(5,\)"):
        evaluate(Mean(), vectors)


def test_vectors_of_whole_numbers_are_refused():
    class Rounding(torch.nn.Module):
        def forward(self, x):
            return x.round().long()

    with pytest.raises(InputError, match=r"floating point vectors, got torch.int64"):
        evaluate(Rounding(), (torch.eye(4), torch.eye(4)))
