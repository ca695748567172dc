"""Input that cannot be right is refused in a sentence that helps."""

from __future__ import annotations

import sys
from math import log

import pytest
import torch

import infomax.scores
from infomax import bounds
from infomax.errors import InputError
from infomax.scores import Scores, product

Q, K = torch.randn(4, 3), torch.randn(6, 3)
NAN = Q.clone()
NAN[2, 1] = float("nan")
CASES = {
    "lists": (lambda: Scores([[1.0]], K), "anchors must be a torch tensor, not list"),
    "vector": (lambda: Scores(Q[0], K), r"anchors must be a matrix.*\(3,\)"),
    "integers": (lambda: Scores(Q.long(), K.long()), "floating point, not torch.int64"),
    "widths": (lambda: Scores(Q, K[:, :2]), "one width of at least 1; got 3 and 2"),
    "width 0": (lambda: Scores(Q[:, :0], K[:, :0]), "at least 1; got 0 and 0"),
    "dtypes": (lambda: Scores(Q, K.double()), "bring both to one dtype"),
    "no anchors": (lambda: Scores(Q[:0], K), "no anchors"),
    "too few candidates": (lambda: Scores(K, Q), "6 anchors but 4 candidates"),
    "temperature 0": (lambda: Scores(Q, K, temperature=0.0), "positive and finite; got 0"),
    "temperature < 0": (lambda: Scores(Q, K, temperature=torch.tensor(-1.0)), "positive and finite; got -1"),
    "temperature nan": (lambda: Scores(Q, K, temperature=float("nan")), "positive and finite"),
    "temperature inf": (lambda: Scores(Q, K, temperature=float("inf")), "positive and finite"),
    "temperature too small": (lambda: Scores(Q, K, temperature=1e-40), "leaves the range of torch.float32"),
    "temperature too large": (lambda: Scores(Q, K, temperature=1e39), "leaves the range of torch.float32"),
    "temperature vector": (
        lambda: Scores(Q, K, temperature=torch.ones(4)),
        r"one number; got a tensor of shape \(4,\)",
    ),
    "scores overflow": (lambda: Scores(Q * 1e15, K * 1e15, temperature=1e-8).cross_entropy(), "out of the range"),
    "squares overflow": (lambda: Scores(Q * 1e30, K, backend="streamed").logsumexp(), "anchors overflow"),
    "nan": (lambda: Scores(NAN, K, backend="streamed").logsumexp(), "anchors row 2 holds NaN"),
    "nan, dense": (lambda: Scores(NAN, K, backend="dense").logsumexp(), "anchors row 2 holds NaN"),
    "nan offset": (lambda: Scores(Q, K, row_offset=NAN[:, 1]).logsumexp(), "row_offset holds NaN"),
    "offset length": (
        lambda: Scores(Q, K, column_offset=torch.zeros(4)),
        r"column_offset must have shape \(6,\); got \(4,\)",
    ),
    "offset integers": (lambda: Scores(Q, K, row_offset=torch.arange(4)), "row_offset must be floating point"),
    "positives out of range": (
        lambda: Scores(Q, K, positives=torch.tensor([0, 1, 2, 6])),
        "columns 0 to 5; got 0 to 6",
    ),
    "positives negative": (lambda: Scores(Q, K, positives=torch.tensor([0, 1, -1, 2])), "got -1 to 2"),
    "positives float": (lambda: Scores(Q, K, positives=torch.ones(4)), "positives must be int64"),
    "positives bool": (lambda: Scores(Q, K, positives=torch.ones(4, dtype=torch.bool)), "positives must be int64"),
    "positives shape": (lambda: Scores(Q, K, positives=Q[:2]), r"shape \(4, 3\); got \(2, 3\)"),
    "positives text": (lambda: Scores(Q, K, positives="diag"), "positives must be int64, one entry a row; str is not"),
    "ids text": (
        lambda: Scores(Q, K, anchor_ids=["a"] * 4, candidate_ids=["b"] * 6),
        "anchor_ids must be int64, one entry a row",
    ),
    "temperature complex": (lambda: Scores(Q, K, temperature=torch.tensor(1j)), "real number .* not torch.complex64"),
    "labels list": (lambda: Scores(Q, K, positives=[torch.arange(4), torch.arange(5)]), "the candidates' labels"),
    "labels three": (lambda: Scores(Q, K, positives=(1, 2, 3)), "labels are a pair"),
    "one id vector": (lambda: Scores(Q, K, anchor_ids=torch.arange(4)), "give both or neither"),
    "ids length": (lambda: Scores(Q, K, anchor_ids=torch.arange(4), candidate_ids=torch.arange(4)), "candidate_ids"),
    "negatives shape": (lambda: Scores(Q, K, negatives=K), r"negatives must be a tensor of shape \(4, K, 3\)"),
    "negatives dtype": (lambda: Scores(Q, K, negatives=torch.zeros(4, 2, 3).double()), "bring both"),
    "label without positive": (
        lambda: Scores(Q, K, positives=(torch.arange(4), torch.arange(6) % 3)).positive(),
        r"1 anchors have no positive \(first: 3\)",
    ),
    "candidate's label without anchor": (
        lambda: Scores(Q, K, positives=(torch.arange(4) % 2, torch.arange(6) % 3)).cross_entropy("anchors"),
        r"2 candidates have no positive \(first: 2\)",
    ),
    "no negative": (lambda: Scores(Q[:1], K[:1]).cross_entropy(), r"1 anchors have no negative \(first: 0\)"),
    "no negative in the column": (
        lambda: Scores(Q[:1], K).cross_entropy("both"),
        "1 candidates that are a positive have no",
    ),
    "masked in the column": (
        lambda: Scores(
            Q[:2], K, anchor_ids=torch.tensor([1, 1]), candidate_ids=torch.tensor([1, 1, 2, 3, 4, 5])
        ).cross_entropy("anchors"),
        "2 candidates that are a positive have no negative",
    ),
    "temperature text": (lambda: Scores(Q, K, temperature="cold"), "a real number or a tensor of one entry, not str"),
    "all masked": (
        lambda: Scores(Q, K, anchor_ids=torch.zeros(4).long(), candidate_ids=torch.zeros(6).long()).cross_entropy(),
        "4 anchors have no negative",
    ),
    "no negative, logsumexp": (lambda: Scores(Q[:1], K[:1]).logsumexp(positives="out"), "no negative"),
    "repeated column": (
        lambda: Scores(Q, K, positives=torch.zeros(4).long()).cross_entropy("both"),
        "one column a pair",
    ),
    "own positives over anchors": (lambda: Scores(Q, K, positives=Q).cross_entropy("anchors"), "use over='candidates'"),
    "over": (lambda: Scores(Q, K).logsumexp("rows"), "over must be one of 'candidates', 'anchors', 'both'; got 'rows'"),
    "positives word": (lambda: Scores(Q, K).total(torch.exp, positives="all"), "positives must be one of"),
    "beta": (lambda: Scores(Q, K).logsumexp(beta=0.0), "beta must be positive"),
    "k": (lambda: Scores(Q, K).hardest(0), "k must be a whole number of at least 1"),
    "backend": (lambda: Scores(Q, K, backend="cuda"), "one of 'auto', 'dense', 'streamed', 'triton'"),
    "matrix": (lambda: Scores.from_dense(Q[0]), "a score matrix must be"),
    "matrix nan": (lambda: Scores.from_dense(NAN), "holds NaN"),
    "matrix empty": (lambda: Scores.from_dense(Q[:, :0]), "both at least 1"),
    "matrix own positives": (lambda: Scores.from_dense(K @ K.t(), positives=K), "columns or labels"),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_with_a_sentence(case):
    make, message = CASES[case]
    with pytest.raises(InputError, match=message):
        make()


def test_an_unknown_product_is_refused(monkeypatch):
    monkeypatch.setenv("INFOMAX_PRODUCT", "cublas")
    product._float32_cpu.cache_clear()
    with pytest.raises(InputError, match="set it to 'mm' or 'onednn'"):
        product.product_for(torch.float32, torch.device("cpu"))
    product._float32_cpu.cache_clear()


def test_triton_where_it_is_not_installed(monkeypatch):
    monkeypatch.delattr(infomax.scores, "triton_kernels", raising=False)
    monkeypatch.setitem(sys.modules, "infomax.scores.triton_kernels", None)
    with pytest.raises(InputError, match=r"needs Triton .*: pip install triton .* or use backend='streamed'"):
        Scores(Q, K, backend="triton")


def test_offsets_of_what_is_not_given_apart_are_refused():
    a = torch.randn(3, 2)
    with pytest.raises(InputError, match="positive_offset belongs to positives given apart"):
        Scores(a, a, positive_offset=torch.zeros(3))
    with pytest.raises(InputError, match=r"negative_offset must be .* and no negatives"):
        Scores(a, a, negative_offset=torch.zeros(3, 2))
    with pytest.raises(InputError, match=r"negative_offset must be .*\(3, 4\); got torch.float32 \(3, 5\)"):
        Scores(a, a, negatives=torch.randn(3, 4, 2), negative_offset=torch.zeros(3, 5))
    with pytest.raises(InputError, match="negative_offset holds NaN"):
        Scores(a, a, negatives=torch.randn(3, 4, 2), negative_offset=torch.full((3, 4), float("nan"))).logsumexp()


def test_infinitely_low_scores_of_a_matrix_are_candidates_left_out():
    """As `dense()` writes them: not counted, and no figure is a bound; a row that they empty is refused."""
    x, ids = torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), torch.tensor([0, 1, 1, 2, 3, 4])
    named = Scores(x, x, anchor_ids=ids, candidate_ids=ids)
    stored = Scores.from_dense(named.dense())
    assert stored.counts().tolist() == named.counts().tolist() == [6, 5, 5, 6, 6, 6]
    assert stored.turned().counts().tolist() == named.turned().counts().tolist()
    for mine, theirs in zip(stored.cross_entropy("both"), named.cross_entropy("both"), strict=True):
        torch.testing.assert_close(mine, theirs)
    assert bounds.readout(stored).side == "score"
    assert bounds.info_nce(stored).side == "neither"
    matrix = torch.zeros(4, 4)
    matrix[0, 1:] = -torch.inf
    for over in ("candidates", "both"):
        with pytest.raises(InputError, match=r"1 anchors have no negative .*-1e30"):
            Scores.from_dense(matrix).cross_entropy(over)
    assert Scores.from_dense(matrix).allowing_no_negatives().cross_entropy()[0] == 0
    with pytest.raises(InputError, match=r"1 anchors have no positive .*-1e30"):
        Scores.from_dense(matrix.flip(1)).cross_entropy()
    with pytest.raises(InputError, match="1 candidates that are a positive have no negative"):
        Scores.from_dense(matrix.t()).cross_entropy("anchors")
    labels = torch.tensor([0, 0, 1, 1])
    own = torch.zeros(4, 4).fill_diagonal_(-torch.inf)
    assert Scores.from_dense(own, positives=(labels, labels)).counts().tolist() == [3] * 4
    assert Scores.from_dense(own, positives=(labels, labels)).cross_entropy().tolist() == pytest.approx([log(3)] * 4)
