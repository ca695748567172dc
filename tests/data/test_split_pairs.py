"""A split keeps groups whole, moves twins towards train, and never leaves one behind."""

import random

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from infomax.data import Pairs, ReadReport, Split, read_pairs, split_pairs
from infomax.data.near_duplicates import near_duplicate_codes
from infomax.errors import InputError


def _sides(split, n):
    sides = np.full(n, -1)
    for number, rows in enumerate((split.train, split.validation, split.test)):
        assert rows.dtype == np.int64
        assert np.array_equal(rows, np.unique(rows))
        assert (sides[rows] == -1).all()
        sides[rows] = number
    assert (sides >= 0).all()
    return sides


def _table(n, rng, groups):
    words = [f"w{i}" for i in range(5000)]
    rows = {side: [" ".join(rng.choices(words, k=40)) for _ in range(n)] for side in ("anchor", "candidate")}
    return rows | {"group": [f"g{rng.randrange(groups)}" for _ in range(n)]}


def _read(table):
    return read_pairs(pa.table(table), group="group")


def _twins_apart(pairs, sides):
    return [
        codes
        for codes in (pairs.ids, near_duplicate_codes(pairs.anchors), near_duplicate_codes(pairs.candidates))
        if any(len(set(sides[codes == code].tolist())) > 1 for code in np.unique(codes))
    ]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_twin_is_ever_on_another_side(data):
    n = data.draw(st.integers(60, 120))
    rng = random.Random(data.draw(st.integers(0, 1000)))
    table = _table(n, rng, groups=data.draw(st.integers(20, 60)))
    for _ in range(data.draw(st.integers(0, 15))):  # plant copies: exact ones, or with a word added
        side, start, end = rng.choice(["anchor", "candidate"]), rng.randrange(n), rng.randrange(n)
        table[side][end] = table[side][start] + rng.choice(["", "!", " more"])
    pairs = _read(table)
    try:
        split = split_pairs(pairs, validation=0.2, test=0.2, seed=rng.randrange(100))
    except InputError:
        return  # so many twins that a side was emptied
    sides = _sides(split, n)
    assert not _twins_apart(pairs, sides)
    moved = sum(split.moved.values())
    home = [np.bincount(sides[pairs.groups == group], minlength=3) for group in np.unique(pairs.groups)]
    assert sum(counts.sum() - counts.max() for counts in home) <= moved  # only moved rows leave their group


def test_without_twins_groups_stay_whole_and_shares_are_met():
    pairs = _read(_table(2000, random.Random(0), groups=200))
    split = split_pairs(pairs, validation=0.1, test=0.2)
    sides = _sides(split, 2000)
    assert all(len(set(sides[pairs.groups == group].tolist())) == 1 for group in np.unique(pairs.groups))
    assert not any(split.moved.values())
    assert 199 <= len(split.validation) <= 200
    assert 399 <= len(split.test) <= 400
    assert split.report.endswith("moved beside their near duplicates: none")


def test_twins_go_to_the_lowest_side_and_are_counted():
    table = _table(1000, random.Random(1), groups=1000)
    before = _sides(split_pairs(_read(table)), 1000)
    train, validation, test = (np.flatnonzero(before == side) for side in range(3))
    table["anchor"][test[0]] = table["anchor"][train[0]] + " again"
    table["candidate"][test[1]] = table["candidate"][validation[1]].upper()
    table["anchor"][validation[2]] = table["anchor"][train[2]]
    table["candidate"][validation[2]] = table["candidate"][test[2]]  # joins train, validation and test
    pairs = _read(table)
    # the draw depends on groups alone, so that it is the same as before
    split = split_pairs(pairs)
    after = _sides(split, 1000)
    expected = before.copy()
    expected[[test[0], validation[2], test[2]]] = 0
    expected[test[1]] = 1
    assert np.array_equal(after, expected)
    assert split.moved == {"validation to train": 1, "test to train": 2, "test to validation": 1}
    assert "1 validation to train, 2 test to train, 1 test to validation" in split.report


def test_seeds():
    pairs = _read(_table(300, random.Random(2), groups=100))
    first, again, other = split_pairs(pairs, seed=1), split_pairs(pairs, seed=1), split_pairs(pairs, seed=2)
    assert isinstance(first, Split)
    assert np.array_equal(first.test, again.test)
    assert not np.array_equal(first.test, other.test)


def test_a_group_larger_than_the_share_stays_in_train():
    table = _table(500, random.Random(3), groups=1)
    table["group"][200:] = [f"small{i}" for i in range(300)]
    for seed in range(10):
        split = split_pairs(_read(table), seed=seed)
        assert set(range(200)) <= set(split.train.tolist())
        assert len(split.test) == len(split.validation) == 50


def test_shares_are_met_though_a_few_groups_hold_most_pairs():
    sizes = [90, 80, 70, 60, 50, 40, 30, 20] + [10, 9, 8, 7, 6, 5, 4, 3, 2, 1] * 2 + [1] * 50
    table = _table(sum(sizes), random.Random(10), groups=1)
    table["group"] = [f"g{number}" for number, size in enumerate(sizes) for _ in range(size)]
    pairs = _read(table)
    for seed in range(30):
        split = split_pairs(pairs, validation=0.1, test=0.1, seed=seed)
        assert len(split.test) == len(split.validation) == round(0.1 * sum(sizes))
        sides = _sides(split, len(pairs))
        assert all(len(set(sides[pairs.groups == group].tolist())) == 1 for group in np.unique(pairs.groups))


def test_no_group_is_left_that_would_have_fitted():
    rng = random.Random(11)
    sizes = [rng.choice([3, 5, 8, 13, 21, 34, 55]) for _ in range(40)]
    table = _table(sum(sizes), rng, groups=1)
    table["group"] = [f"g{number}" for number, size in enumerate(sizes) for _ in range(size)]
    pairs = _read(table)
    for seed in range(30):
        split = split_pairs(pairs, validation=0.1, test=0.1, seed=seed)
        smallest_left = np.bincount(np.unique(pairs.groups[split.train], return_inverse=True)[1]).min()
        for side in (split.validation, split.test):
            assert 0 <= round(0.1 * sum(sizes)) - len(side) < smallest_left


def test_columns_without_text_are_split_by_groups_and_ids():
    x = torch.randn(100, 3)
    x[50:60] = x[:10]
    pairs = read_pairs((x, torch.randn(100, 2)))
    sides = _sides(split_pairs(pairs, validation=0.2, test=0.2), 100)
    assert np.array_equal(sides[50:60], sides[:10])


class _Words:
    """A text column of one's own."""

    def __init__(self, texts):
        self.texts = texts

    def __len__(self):
        return len(self.texts)

    def __getitem__(self, rows):
        return [self.texts[row] for row in rows]


def test_text_columns_of_ones_own():
    table = _table(200, random.Random(4), groups=200)
    table["anchor"][100:] = [text + " twice" for text in table["anchor"][:100]]
    everyone = np.arange(200)
    report = ReadReport("own", 200, 200)
    pairs = Pairs(_Words(table["anchor"]), _Words(table["candidate"]), everyone, everyone, None, report)
    sides = _sides(split_pairs(pairs, validation=0.2, test=0.2), 200)
    assert np.array_equal(sides[:100], sides[100:])


def test_a_share_of_zero_leaves_a_side_empty():
    pairs = _read(_table(100, random.Random(5), groups=50))
    split = split_pairs(pairs, validation=0, test=0.2)
    assert len(split.validation) == 0
    assert len(split.train) + len(split.test) == 100


@pytest.mark.parametrize(
    ("shares", "match"),
    [
        ({"test": 1.0}, "test=1.0 is no share"),
        ({"validation": -0.1}, "validation=-0.1 is no share"),
        ({"validation": 0.5, "test": 0.5}, "leave nothing to train on"),
    ],
)
def test_shares_that_are_none(shares, match):
    with pytest.raises(InputError, match=match):
        split_pairs(_read(_table(20, random.Random(6), groups=20)), **shares)


@pytest.mark.parametrize("n", [1, 2, 50])
def test_too_few_groups(n):
    table = _table(n, random.Random(7), groups=1)
    with pytest.raises(InputError, match=rf"{n} pairs in 1 groups leave no \w+ pairs because of so few groups: give"):
        split_pairs(_read(table))


def test_a_side_emptied_by_twins():
    table = _table(40, random.Random(8), groups=40)
    table["anchor"] = [f"{table['anchor'][0]} {i}" for i in range(40)]
    with pytest.raises(InputError, match="leave no validation pairs because of the near duplicates among them"):
        split_pairs(_read(table))


def test_a_large_split_is_fast_enough_to_wait_for():
    import time

    rng = random.Random(9)
    words = [f"w{i}" for i in range(2000)]
    base = [" ".join(rng.choices(words, k=60)) for _ in range(2000)]
    n = 30_000
    anchors = ["Return a string representation." if i % 7 == 0 else f"{i} {rng.choice(words)} {i}" for i in range(n)]
    pairs = read_pairs((anchors, [f"{rng.choice(base)} {rng.choice(base)} {i}" for i in range(n)]))
    start = time.perf_counter()
    sides = _sides(split_pairs(pairs), n)
    assert time.perf_counter() - start < 20  # about 1 s on two quiet cores
    assert len(set(sides[::7].tolist())) == 1
