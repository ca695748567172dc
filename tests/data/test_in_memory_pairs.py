"""Lists, columns, data frames and tensors."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from infomax.data import TensorColumn, read_pairs
from infomax.errors import InputError

ROWS = np.arange(2)


@pytest.mark.parametrize(
    "source",
    [
        [("a", "1"), ("b", "2")],
        [["a", "1"], ["b", "2"]],
        (["a", "b"], ["1", "2"]),
        (("a", "b"), ("1", "2")),
        (pd.Series(["a", "b"]), np.array(["1", "2"])),
        (row for row in [("a", "1"), ("b", "2")]),
        pd.DataFrame({"q": ["a", "b"], "c": ["1", "2"]}),
        pd.DataFrame({"x": [0, 0], "candidate": ["1", "2"], "anchor": ["a", "b"]}),
        pa.table({"q": ["a", "b"], "c": [1, 2]}),
        pa.table({"q": pa.array(["a", "b"], pa.large_string()), "c": ["1", "2"]}),
    ],
)
def test_objects_that_hold_texts(source):
    pairs = read_pairs(source)
    assert pairs.anchors[ROWS] == ["a", "b"]
    assert pairs.candidates[ROWS] == ["1", "2"]


def test_missing_texts_are_counted():
    pairs = read_pairs((["a", None, float("nan"), "d", " "], ["1", "2", "3", "4", "5"]))
    assert pairs.anchors[:] == ["a", "d"]
    assert pairs.report.skipped == {"rows with an empty cell": 3}
    frame = pd.DataFrame({"q": ["a", None, np.nan, "d"], "c": ["1", "2", "3", "4"], "f": ["x", "x", "y", "x"]})
    pairs = read_pairs(frame, group="f")
    assert pairs.anchors[:] == ["a", "d"]
    assert pairs.groups[0] == pairs.groups[1]


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ((["a", "b"], ["1"]), "2 anchors and 1 candidates"),
        ((torch.zeros(3, 2), torch.zeros(2, 2)), "3 anchors and 2 candidates"),
        ((torch.zeros(3), torch.zeros(3)), r"anchors have shape \(3,\): expected one row per pair"),
        ((torch.zeros(0, 2), torch.zeros(0, 2)), "they have 0 rows"),
        ((torch.zeros(3, 2), torch.ones(3, 2)), "have the same anchor and the same candidate"),
        ((np.array([[1.0], [np.nan]]), np.ones((2, 1))), "Row 1 of the anchors holds NaN or infinity"),
        ((torch.randn(9000, 2), torch.full((9000, 1), torch.inf)), "Row 0 of the candidates holds NaN or infinity"),
        ([], "it holds no rows"),
        (["ab", "cd"], "Row 0 is 'ab': a list holds"),
        ([("a", "b", "c")], "a list holds"),
        ([("a", "b"), ("a", 3)], "Row 1 of the candidates is int: give texts"),
        (("ab", ["c", "d"]), "The anchors are str: give a sequence"),
        (7, "Cannot read pairs from int"),
        (pd.DataFrame({"a": ["x", "y"]}), "needs two columns, an anchor and a candidate; it has 'a'"),
        (pd.DataFrame({"a": ["x", 3], "b": ["1", "2"]}), "column of mixed types"),
        (pa.table({"a": [{"x": 1}], "b": ["1"]}), "Column 'a' of the table .* holds struct"),
        ([("a", "b"), ("a", "b")], "have the same anchor and the same candidate"),
    ],
)
def test_objects_that_cannot_give_pairs(source, match):
    with pytest.raises(InputError, match=match):
        read_pairs(source)


def test_lone_surrogates_in_memory():
    assert read_pairs([("x\ud800", "1"), ("y", "2")]).anchors[0] == "x?"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64])
def test_tensors(dtype):
    x, y = torch.arange(12).reshape(4, 3).to(dtype), torch.arange(8).reshape(4, 2, 1).to(dtype)
    x[2] = x[0]
    x[3, 0] = x[0, 0]  # one equal entry is no equal row
    pairs = read_pairs((x, y))
    rows = np.array([3, 0])
    assert torch.equal(pairs.anchors[rows], x[[3, 0]])
    assert torch.equal(pairs.candidates[rows], y[[3, 0]])
    assert pairs.ids[0] == pairs.ids[2]
    assert len(set(pairs.ids.tolist())) == 3


def test_arrays_are_given_back_as_tensors():
    column = TensorColumn(np.arange(6.0).reshape(3, 2))
    assert torch.equal(column[np.array([2, 1])], torch.tensor([[4.0, 5.0], [2.0, 3.0]], dtype=torch.float64))
    assert len(column) == 3
    assert repr(column) == "TensorColumn(3, 2)"


def test_rows_of_arrays_that_share_a_candidate_share_an_id():
    x = np.arange(8.0).reshape(4, 2)
    ids = read_pairs((x, x[[0, 1, 1, 2]])).ids
    assert ids[1] == ids[2]
    assert len(set(ids.tolist())) == 3
