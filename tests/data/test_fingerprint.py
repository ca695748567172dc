"""A digest of pairs: equal for equal pairs, and other for pairs that only look alike when they are strung together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import torch

from infomax.data import Pairs, ReadReport, TensorColumn, TextColumn
from infomax.data.fingerprint import fingerprint


def held(anchors, candidates):
    return Pairs(anchors, candidates, np.arange(2), np.arange(2), None, ReadReport("here", 2, 2))


def column(*texts):
    return TextColumn(pa.chunked_array([list(texts)]))


def test_texts_ids_and_groups_are_told_apart():
    plain = held(column("ab", "c"), column("d", "e"))
    assert fingerprint(plain) == fingerprint(held(column("ab", "c"), column("d", "e")))
    assert fingerprint(plain) != fingerprint(held(column("a", "bc"), column("d", "e")))
    assert fingerprint(plain) != fingerprint(replace(plain, groups=np.zeros(2, np.int64)))
    assert fingerprint(plain) != fingerprint(replace(plain, ids=np.zeros(2, np.int64)))


def test_types_and_shapes_of_tensors_are_told_apart():
    zeros, other = torch.zeros(2, 4), TensorColumn(torch.ones(2, 1))
    plain, squares, whole = (
        fingerprint(held(TensorColumn(values), other)) for values in (zeros, zeros.reshape(2, 2, 2), zeros.int())
    )
    assert len({plain, squares, whole}) == 3
