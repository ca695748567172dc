"""Batches without repeats: nothing repeats, nothing is lost, sizes, order, and as a batch sampler."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from torch.utils.data import DataLoader, TensorDataset

from infomax.errors import InputError
from infomax.training.distinct import DistinctBatches, distinct_batches


@given(
    pairs=st.lists(st.tuples(st.integers(-3, 9), st.integers(0, 20)), min_size=1, max_size=60),
    batch_size=st.integers(1, 12),
    epoch=st.integers(0, 3),
)
@settings(max_examples=150, deadline=None)
def test_no_id_twice_in_a_batch_and_every_row_once(pairs, batch_size, epoch):
    ids = tuple(np.array(column) for column in zip(*pairs, strict=True))
    batches = distinct_batches(ids, batch_size, 0, epoch, least=1)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(pairs)))
    for rows in batches:
        assert len(rows) <= batch_size
        for column in ids:
            assert len(np.unique(column[rows])) == len(rows)


def test_further_batches_are_no_larger_than_asked():
    """Found at random: ids on both sides, where the further batches had room for one row too many."""
    ids = ([2, 3, 2, 2, 3, 3, 2, 0], [2, 3, 1, 1, 1, 1, 0, 1])
    assert max(map(len, distinct_batches(ids, 2, 0, 0, least=1))) == 2


@given(n=st.integers(1, 200), batch_size=st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_without_repeats_there_are_as_few_batches_as_can_be_of_nearly_equal_size(n, batch_size):
    sizes = [len(rows) for rows in distinct_batches(np.arange(n), batch_size, 0, 0, least=1)]
    assert len(sizes) == -(-n // batch_size)
    assert max(sizes) - min(sizes) <= 1


def test_an_id_that_repeats_spreads_over_as_many_batches():
    ids = np.array([7] * 5 + list(range(10, 25)))
    batches = distinct_batches(ids, 10, 0, 0, least=1)
    assert len(batches) == 5
    assert [len(rows) for rows in distinct_batches(ids, 10, 0, 0)] == [len(rows) for rows in batches if len(rows) > 1]


def test_seed_and_epoch_decide():
    ids = np.arange(50) // 2
    first, again, later, other = (
        [rows.tolist() for rows in distinct_batches(ids, 8, seed, epoch)]
        for seed, epoch in ((0, 0), (0, 0), (0, 1), (1, 0))
    )
    assert first == again
    assert first != later != other != first


def test_ties_on_one_side_alone_count_on_that_side_alone():
    """Equal numbers on different sides are different things."""
    assert len(distinct_batches((np.arange(6), np.arange(6)[::-1]), 6, 0, 0)) == 1


def test_a_frequent_id_takes_no_longer():
    """One id in half of 40,000 rows: a search through full batches would take some 10^8 steps."""
    ids = np.where(np.arange(40_000) % 2, np.arange(40_000), -1)
    batches = distinct_batches(ids, 4, 0, 0, least=1)
    assert len(batches) == 20_000


def test_a_data_loader_takes_it():
    ids = (torch.arange(30) // 2, torch.arange(30) // 3)
    sampler = DistinctBatches(ids, 7, seed=3)
    loader = DataLoader(TensorDataset(*ids), batch_sampler=sampler)
    seen = [anchor.tolist() for anchor, _ in loader]
    assert len(loader) == len(seen)
    assert all(len(set(batch)) == len(batch) for batch in seen)
    sampler.set_epoch(1)
    assert [anchor.tolist() for anchor, _ in loader] != seen
    sampler.set_epoch(0)
    assert [anchor.tolist() for anchor, _ in loader] == seen


def test_refusals():
    with pytest.raises(InputError, match="all ids as long"):
        DistinctBatches((np.arange(3), np.arange(4)), 2)
    with pytest.raises(InputError, match="batch_size"):
        DistinctBatches(np.arange(3), 0)
    with pytest.raises(InputError, match="vectors"):
        DistinctBatches(np.ones((3, 2)), 2)
    assert distinct_batches(np.arange(0), 4, 0, 0) == []
