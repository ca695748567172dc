"""Columns over Arrow chunks, and ids as connected components."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infomax.data import TextColumn, read_pairs
from infomax.data.ids import codes_of, connected, digests


@given(
    st.lists(st.lists(st.text(alphabet="aé日🎉 \n"), max_size=4), min_size=1, max_size=5),
    st.lists(st.integers(0, 1000), max_size=8),
)
def test_a_column_reads_like_a_list(chunks, numbers):
    texts = [text for chunk in chunks for text in chunk]
    column = TextColumn(pa.chunked_array([pa.array(chunk, pa.string()) for chunk in chunks]))
    rows = [number % len(texts) for number in numbers] if texts else []
    assert column[np.array(rows, dtype=np.int64)] == [texts[row] for row in rows]
    assert list(column) == column[:] == texts
    chosen = np.array(rows, dtype=np.int64)
    view = TextColumn(pa.chunked_array([pa.array(chunk, pa.string()) for chunk in chunks]), chosen)
    assert len(view) == len(rows)
    assert view[:] == [texts[row] for row in rows]


def test_masks_negative_numbers_and_bounds():
    column = TextColumn(pa.chunked_array([["a", "b"], ["c"]]))
    assert column[-1] == "c"
    assert column[np.array([True, False, True])] == ["a", "c"]
    assert column[1:] == ["b", "c"]
    for row in (3, -4):
        with pytest.raises(IndexError, match=f"row {row} of a column of 3 rows"):
            column[row]


def _slow_ids(rows):
    """The definition: merge rows that share a text until nothing changes."""
    ids = list(range(len(rows)))
    for _ in rows:
        for i, (a, b) in enumerate(rows):
            for j, (c, d) in enumerate(rows):
                if a == c or b == d:
                    ids[i] = ids[j] = min(ids[i], ids[j])
    return ids


@given(st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), min_size=1, max_size=12))
def test_ids_are_the_connected_components_of_shared_texts(rows):
    ids = connected(*(codes_of(digests(side)) for side in zip(*rows, strict=True)))
    slow = _slow_ids(rows)
    assert [[x == y for y in ids] for x in ids] == [[x == y for y in slow] for x in slow]


def test_a_text_on_both_sides_is_no_link():
    ids = read_pairs([("a", "b"), ("b", "c"), ("c", "d")]).ids
    assert len(set(ids.tolist())) == 3


@given(st.lists(st.text(max_size=3), max_size=20))
def test_codes_are_equal_exactly_where_texts_are(texts):
    codes = codes_of(digests([text.encode("utf-8", "replace") for text in texts]))
    numbers = {text.encode("utf-8", "replace"): code for text, code in zip(texts, codes, strict=True)}
    assert len(set(numbers.values())) == len(numbers)
    assert sorted(set(codes.tolist())) == list(range(len(numbers)))


def test_codes_compare_whole_digests():
    codes = codes_of(np.array([[1, 2], [1, 3], [1, 2], [4, 2]], dtype="<u8"))
    assert codes[0] == codes[2]
    assert len(set(codes.tolist())) == 3


def test_reading_texts_does_not_import_torch():
    code = "import sys, infomax.data; infomax.data.read_pairs([('a', 'b')]); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
