"""The search index against exact cosines, and its files."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from infomax.data import TensorColumn, TextColumn
from infomax.encoders import StaticTextEncoder
from infomax.errors import InputError
from infomax.evaluation import build_index, index, load_index, search
from infomax.evaluation.vectors import embed

TEXTS = ["red apple", "green pear", "blue sky", "wide sea", "red apple", "old oak tree"]


def column(texts):
    return TextColumn(pa.chunked_array([texts]))


@pytest.fixture
def encoder():
    return StaticTextEncoder.from_texts(TEXTS, dim=32, vocabulary_size=200)


def test_a_list_of_texts_is_a_column(encoder):
    listed, whole = build_index(encoder, TEXTS), build_index(encoder, column(TEXTS))
    assert torch.equal(listed.vectors, whole.vectors)
    assert listed.labels == whole.labels == TEXTS[:4] + TEXTS[5:]
    assert torch.equal(embed(encoder, tuple(TEXTS)), embed(encoder, column(TEXTS)))
    for wrong in ([1, 2], [["a"]]):
        with pytest.raises(InputError, match="must be of texts"):
            build_index(encoder, wrong)


def test_finds_the_nearest_and_keeps_repeated_texts_once(encoder):
    found = build_index(encoder, column(TEXTS), [f"item {i}" for i in range(6)])
    assert found.labels == ["item 0", "item 1", "item 2", "item 3", "item 5"]
    (hits,) = search(encoder, found, ["pear, green!"], k=2)
    assert hits[0][0] == "item 1"
    assert hits[0][1] == pytest.approx(1.0, abs=2e-3)
    assert [label for (label, _), *_ in search(encoder, found, TEXTS[1:4])] == ["item 1", "item 2", "item 3"]


def test_chunks_and_depth_do_not_change_the_answer(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    items, queries = torch.randn(50, 8, generator=generator), torch.randn(4, 8, generator=generator)
    monkeypatch.setattr(index, "_CHUNK", 7)
    built = build_index(nn.Identity(), TensorColumn(items))
    cosines = nn.functional.normalize(queries, dim=1) @ nn.functional.normalize(items, dim=1).T
    for k in (1, 10, 50, 99):
        values, rows = cosines.topk(min(k, 50), dim=1)
        hits = search(nn.Identity(), built, TensorColumn(queries), k=k)
        assert [[label for label, _ in row] for row in hits] == [[f"row {j}" for j in row] for row in rows.tolist()]
        assert np.allclose([[v for _, v in row] for row in hits], values, atol=2e-3)


def test_cosines_of_half_precision_vectors_do_not_exceed_1(tmp_path):
    items = torch.randn(200, 48, generator=torch.Generator().manual_seed(0))
    built = build_index(nn.Identity(), TensorColumn(items))
    lengths = built.vectors.float().norm(dim=1)
    assert (lengths - 1).abs().max() > 1e-5
    best = [hits[0][1] for hits in search(nn.Identity(), built, TensorColumn(items), k=1)]
    assert max(best) <= 1
    assert np.allclose(best, 1, atol=1e-6)  # the direction is off by a rounding, its cosine by the square of one


def test_without_unit_length_inner_products_decide(tmp_path):
    generator = torch.Generator().manual_seed(0)
    lengths = torch.logspace(-3, 5, 50)[:, None]
    items, queries = torch.randn(50, 8, generator=generator) * lengths, torch.randn(4, 8, generator=generator) * 300
    built = build_index(nn.Identity(), TensorColumn(items), normalize=False)
    values, rows = (queries @ items.T).topk(10, dim=1)
    assert items.max() > 65_504  # beyond float16
    built.save(tmp_path)
    for found in (built, load_index(tmp_path)):
        hits = search(nn.Identity(), found, TensorColumn(queries))
        assert [[label for label, _ in row] for row in hits] == [[f"row {j}" for j in row] for row in rows.tolist()]
        assert np.allclose([[v for _, v in row] for row in hits], values, rtol=1e-5)
    assert torch.equal(load_index(tmp_path).vectors, items)


class Rolled(nn.Module):
    """Numbers moved on by some places."""

    def __init__(self, by):
        super().__init__()
        self.by = by

    def forward(self, x):
        return x.roll(self.by, 1)


def test_the_first_side_encodes_queries_and_the_second_items():
    two = (Rolled(1), Rolled(2))
    built = build_index(two, TensorColumn(torch.eye(4)))  # item i lies along axis i + 2, query i along axis i + 1
    assert torch.equal(built.vectors.float(), torch.eye(4).roll(2, 1))
    hits = search(two, built, TensorColumn(torch.eye(4)), k=1)
    assert [label for ((label, _),) in hits] == ["row 3", "row 0", "row 1", "row 2"]


def test_saved_and_mapped_back(encoder, tmp_path):
    built = build_index(encoder, column(TEXTS))
    built.save(tmp_path)
    loaded = load_index(tmp_path)
    assert torch.equal(loaded.vectors, built.vectors)
    assert list(loaded.labels) == list(built.labels) == list(dict.fromkeys(TEXTS))
    assert search(encoder, loaded, ["sky"]) == search(encoder, built, ["sky"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["labels.arrow", "vectors.safetensors"]


def test_damage_and_misuse_are_said(encoder, tmp_path):
    with pytest.raises(InputError, match="no search index"):
        load_index(tmp_path)
    built = build_index(encoder, column(TEXTS))
    built.save(tmp_path)
    for name in ("vectors.safetensors", "labels.arrow"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(InputError, match="damaged"):
            load_index(tmp_path)
        (tmp_path / name).write_bytes(whole)
    build_index(encoder, column(TEXTS[:2])).save(tmp_path / "other")
    (tmp_path / "labels.arrow").write_bytes((tmp_path / "other" / "labels.arrow").read_bytes())
    with pytest.raises(InputError, match="5 vectors but 2 labels"):
        load_index(tmp_path)
    for queries, k in (([], 3), ("sky", 3), (["sky"], 0)):
        with pytest.raises(InputError, match="list of at least one query"):
            search(encoder, built, queries, k=k)
    with pytest.raises(InputError, match="size 32, the encoder gives 8"):
        search(StaticTextEncoder.from_texts(TEXTS, dim=8), built, ["sky"])
    with pytest.raises(InputError, match="nothing to index"):
        build_index(encoder, column([]))
