"""Retrieval against its definition, written out row by row on the dense matrix."""

import numpy as np
import pytest
import torch

from infomax.errors import InputError
from infomax.evaluation import retrieval
from infomax.evaluation.ranking import from_ranks


def by_definition(anchors, candidates, columns, ids, ks):
    """One row at a time, in float64: competitors are other candidates of another id; ties count against."""
    ranks = []
    for anchor, column in zip(anchors.double(), columns, strict=True):
        ahead = (candidates.double() @ anchor >= candidates[column].double() @ anchor - 1e-12).tolist()
        same = [j == column or (ids is not None and ids[j] == ids[column]) for j in range(len(candidates))]
        ranks.append(sum(a and not s for a, s in zip(ahead, same, strict=True)))
    ranks = np.array(ranks)
    return {k: np.mean([r < k for r in ranks]) for k in ks}, np.mean([1 / (r + 1) for r in ranks])


@pytest.mark.parametrize("size", [(40, 40), (200, 500)])
@pytest.mark.parametrize("with_ids", [False, True])
@pytest.mark.parametrize("copies", [1, 3], ids=["all different", "many ties"])
def test_equals_the_dense_definition(size, with_ids, copies):
    generator = torch.Generator().manual_seed(3)
    n, m = size
    candidates = torch.randn(m // copies + 1, 6, generator=generator).repeat(copies, 1)[:m]
    columns = torch.randperm(m, generator=generator)[:n]
    anchors = candidates[columns] + 1.5 * torch.randn(n, 6, generator=generator)
    ids = torch.randint(m // 3, (m,), generator=generator) if with_ids else None
    got = retrieval(anchors, candidates, ids=ids, positives=columns, ks=(1, 3, 10))
    recall, mrr = by_definition(anchors, candidates, columns.tolist(), (with_ids and ids.tolist()) or None, (1, 3, 10))
    assert got.recall == pytest.approx(recall)
    assert got.mrr == pytest.approx(mrr)
    assert (got.anchors, got.candidates) == (n, m)


def test_a_constant_encoder_finds_nothing():
    ones = torch.ones(20, 3)
    assert retrieval(ones, ones, ks=(1, 19, 20)).recall == {1: 0.0, 19: 0.0, 20: 1.0}


def test_another_copy_of_the_answer_is_no_competitor():
    vectors = torch.eye(4)[[0, 0, 1, 2]]  # rows 0 and 1 are equal
    assert retrieval(vectors, vectors, ks=(1,)).recall[1] == 0.5
    assert retrieval(vectors, vectors, ids=[7, 7, 8, 9], ks=(1,)).recall[1] == 1.0


def test_summary_of_ranks():
    got = from_ranks(np.array([0, 1, 9]), 50, ks=(1, 2, 10))
    assert got.recall == pytest.approx({1: 1 / 3, 2: 2 / 3, 10: 1.0})
    assert got.mrr == pytest.approx((1 + 1 / 2 + 1 / 10) / 3)
    assert got.to_dict()["recall"].keys() == {"1", "2", "10"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"candidates": torch.ones(4, 2)}, "4 candidates"),
        ({"candidates": torch.ones(3, 5)}, "one d"),
        ({"ids": [1, 2]}, "one integer a candidate"),
        ({"positives": [0, 1, 3]}, "0 to 2"),
        ({"positives": [0, 1]}, "3 anchors"),
        ({"ks": (0, 1)}, "at least 1"),
    ],
)
def test_what_does_not_fit_is_said(arguments, words):
    with pytest.raises(InputError, match=words):
        retrieval(**({"anchors": torch.ones(3, 2), "candidates": torch.ones(3, 2)} | arguments))
