"""Columns of tokens: indexing, counting, streaming to a file."""

import itertools

import numpy as np
import pytest

from infomax.encoders.tokens import TokenColumn, Tokens, token_column

TEXTS = [[1, 2, 2], [], [3], [0, 1, 0, 4], []]


def column(**options) -> TokenColumn:
    half = [
        (np.array([*itertools.chain(*part)], np.int32), np.array([len(t) for t in part]))
        for part in (TEXTS[:2], TEXTS[2:])
    ]
    return token_column(half, **options)


def as_lists(tokens):
    ids, offsets = tokens.ids.tolist(), tokens.offsets.tolist()
    return [ids[a:b] for a, b in itertools.pairwise(offsets)]


@pytest.mark.parametrize("rows", [[0], [4, 0, 0, 3, 1, 2], [1, 4], [], slice(1, 4)])
@pytest.mark.parametrize(
    "memory", [2**28, 0, 14]
)  # in memory; all in a file; the second block in a file with the first
def test_rows_come_back_in_the_order_asked(rows, memory):
    found = column(memory=memory)
    wanted = TEXTS[rows] if isinstance(rows, slice) else [TEXTS[i] for i in rows]
    assert as_lists(found[rows]) == wanted
    assert len(found[rows]) == len(wanted)
    assert isinstance(found.ids, np.memmap) == (memory < 2**28)


def test_batches_are_joined_in_their_order():
    batches = [column()[rows] for rows in ([3, 1], [], [4, 0])]
    assert as_lists(Tokens.joined(batches)) == [TEXTS[i] for i in (3, 1, 4, 0)]


def test_counts_are_of_occurrences_and_of_texts():
    occurrences, texts = column().counts(6)
    assert occurrences.tolist() == [2, 2, 2, 1, 1, 0]
    assert texts.tolist() == [1, 2, 1, 1, 1, 0]


def test_texts_beyond_what_is_counted_at_once_are_counted():
    n = 2 * 8192 + 5
    column = TokenColumn(np.zeros(n, np.int32), np.arange(n + 1))
    assert [counts.tolist() for counts in column.counts(1)] == [[n], [n]]


def test_no_blocks_make_an_empty_column():
    assert len(token_column([])) == 0
