"""Hard negatives against the definition, cell by cell; streamed or by an index, the same."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings

from infomax.candidates import mine_hard_negatives, mining
from infomax.errors import InputError
from infomax.objectives import info_nce
from infomax.scores import Scores

N, M, D = 9, 23, 4
RNG = torch.Generator().manual_seed(0)
A, C = (torch.randn(k, D, generator=RNG, dtype=torch.float64) for k in (N, M))
KINDS = {
    "plain": {},
    "columns": {"positives": torch.arange(N) + 5},
    "ids": {"anchor_ids": torch.arange(N) % 4, "candidate_ids": torch.arange(M) % 6},
    "labels": {"positives": (torch.arange(N) % 4, torch.arange(M) % 5)},
    "apart": {"positives": A.roll(1, 0)},
}


class Flat:
    """What a flat faiss index does: all inner products, and the best k of each row."""

    def __init__(self, vectors):
        self.vectors, self.asked = vectors.numpy(), []

    def search(self, queries, k):
        self.asked.append(k)
        s = queries @ self.vectors.T
        order = np.argsort(-s, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(s, order, 1), order


def plain(k, *, margin=None, relative_margin=None, skip_top=0, **ids):
    """Row by row, as the docstring says."""
    scores = Scores(A, C, **ids)
    positive, live = scores.true_pairs.masks()
    s, own, rows = A @ C.T, scores.positive(), []
    for i in range(N):
        limit = min(
            own[i] - (-float("inf") if margin is None else margin),
            own[i] - (-float("inf") if relative_margin is None else relative_margin * abs(own[i])),
        )
        left = [j for j in range(M) if live[i, j] and not positive[i, j] and s[i, j] <= limit]
        rows.append((sorted(left, key=lambda j: -float(s[i, j]))[skip_top : skip_top + k] + [-1] * k)[:k])
    return torch.tensor(rows)


@given(
    kind=st.sampled_from(list(KINDS)),
    k=st.integers(1, 30),
    skip_top=st.integers(0, 5),
    margin=st.none() | st.floats(-4, 4),
    relative=st.none() | st.floats(-1, 2),
    indexed=st.booleans(),
)
@settings(max_examples=80, deadline=None)
def test_it_is_the_definition(kind, k, skip_top, margin, relative, indexed):
    options = {"margin": margin, "relative_margin": relative, "skip_top": skip_top, **KINDS[kind]}
    found = mine_hard_negatives(A, C, k, index=Flat(C) if indexed else None, **options)
    assert torch.equal(found.columns, plain(k, **options))
    there = found.columns >= 0
    torch.testing.assert_close(found.scores[there], (A @ C.T).gather(1, found.columns.clamp(min=0))[there])
    assert found.scores[~there].isneginf().all()
    assert torch.equal(found.complete, there.all(1))


def test_streamed_in_many_tiles(monkeypatch):
    from infomax.scores import scores, tiles

    monkeypatch.setattr(tiles, "CPU_TILE", (4, 5))
    monkeypatch.setattr(scores, "DENSE_CELLS", 0)
    for options in ({}, {"margin": 0.5}, {"relative_margin": 0.1, "skip_top": 2}):
        assert torch.equal(mine_hard_negatives(A, C, 3, **options).columns, plain(3, **options))


def test_an_index_is_asked_for_more_until_there_is_enough(monkeypatch):
    monkeypatch.setattr(mining, "CELLS", 7)
    index = Flat(C)
    found = mine_hard_negatives(A, C, 2, margin=3.0, index=index)
    assert torch.equal(found.columns, plain(2, margin=3.0))
    assert sorted(set(index.asked)) == [5, 20, 23]


def test_faiss_finds_the_same():
    faiss = pytest.importorskip("faiss", reason="faiss-cpu is not installed")
    a, c = A.float(), C.float()
    index = faiss.IndexFlatIP(D)
    index.add(c.numpy())
    for options in ({}, {"margin": 0.5, "skip_top": 1}, KINDS["ids"]):
        found, exact = (mine_hard_negatives(a, c, 3, index=i, **options) for i in (index, None))
        assert torch.equal(found.columns, exact.columns)


def test_what_is_found_serves_as_negatives_of_their_own_row():
    a = A.clone().requires_grad_()
    negatives = mine_hard_negatives(a, C, 2)
    assert not negatives.scores.requires_grad
    s = Scores(a, C[:N], negatives=negatives.of(C))
    torch.testing.assert_close(s.dense()[:, N:].detach(), negatives.scores)
    info_nce(s).mean().backward()
    assert a.grad.abs().sum() > 0


def test_too_few_are_said():
    few = mine_hard_negatives(A, C, 2, margin=100.0)
    assert not few.complete.any()
    with pytest.raises(InputError, match="9 anchors have fewer than 2 negatives"):
        few.of(C)


@pytest.mark.parametrize(
    ("k", "options", "said"),
    [
        (0, {}, "k must be"),
        (1, {"skip_top": -1}, "skip_top"),
        (1, {"margin": float("nan")}, "finite"),
        (1, {"candidate_ids": torch.arange(M)}, "go together"),
    ],
)
def test_refusals(k, options, said):
    with pytest.raises(InputError, match=said):
        mine_hard_negatives(A, C, k, **options)


def test_an_index_takes_half_precisions_as_float32():
    index = Flat(C.bfloat16().float())
    found = mine_hard_negatives(A.bfloat16(), C.bfloat16(), 2, index=index)
    assert torch.equal(found.columns, mine_hard_negatives(A.bfloat16(), C.bfloat16(), 2).columns)
