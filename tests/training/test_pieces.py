"""Schedule, batches, temperature, settings, the clock: each small piece by itself."""

from dataclasses import replace
from itertools import pairwise
from math import log

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch import nn

from infomax.data import TextColumn, read_pairs
from infomax.errors import InputError
from infomax.objectives import info_nce
from infomax.training import loop
from infomax.training.batches import epoch_batches, mean_log_candidates, steps_per_epoch
from infomax.training.clock import Clock
from infomax.training.learner import COLDEST, HOTTEST, Learner, Temperature
from infomax.training.parts import take
from infomax.training.schedule import factor
from infomax.training.settings import Settings, differences, name_of
from infomax.training.validation import Validation

GOOD = {
    "epochs": 1, "batch_size": 2, "chunk": None, "learning_rate": 0.1, "weight_decay": 0.0, "temperature": 0.1,
    "learn_temperature": True, "temperature_learning_rate": 0.1, "warmup": 0.0, "patience": None, "validation": 0.1,
    "test": 0.1, "validation_candidates": 2, "validations_per_epoch": 1, "prefixes": (), "normalize": True,
    "seed": 0, "objective": "f",
}  # fmt: skip


def test_the_rate_rises_then_falls_to_zero():
    values = [factor(step, 100, 10) for step in range(101)]
    assert values[0] == pytest.approx(0.1)
    assert max(values) == values[9] == values[10] == 1.0
    assert all(a < b for a, b in pairwise(values[:10]))
    assert all(a > b for a, b in pairwise(values[10:]))
    assert values[55] == pytest.approx(0.5)
    assert values[100] == 0.0
    assert factor(0, 1, 0) == 1.0


@pytest.mark.parametrize(("n", "size"), [(10, 3), (10, 10), (11, 64), (100, 7)])
def test_an_epoch_holds_every_row_once(n, size):
    batches = epoch_batches(np.arange(n), size, 0, 0)
    assert sorted(np.concatenate(batches)) == list(range(n))
    assert len(batches) == steps_per_epoch(n, size)
    lengths = [len(rows) for rows in batches]
    assert max(lengths) <= size
    assert max(lengths) - min(lengths) <= 1


def test_order_depends_on_seed_and_epoch_only():
    def order(seed, epoch):
        return np.concatenate(epoch_batches(np.arange(50), 8, seed, epoch)).tolist()

    assert order(0, 0) == order(0, 0)
    assert len({tuple(order(seed, epoch)) for seed in (0, 1) for epoch in (0, 1)}) == 4


def test_batches_without_negatives_are_left_out():
    assert [len(rows) for rows in epoch_batches(np.arange(3), 2, 0, 0)] == [2]  # the row alone is dropped
    for epoch in range(20):
        batches = epoch_batches(np.array([0, 0, 1, 1]), 2, 0, epoch)
        assert all(sorted(np.array([0, 0, 1, 1])[rows]) == [0, 1] for rows in batches)
    assert any(len(epoch_batches(np.array([0, 0, 1, 1]), 2, 0, epoch)) == 0 for epoch in range(20))


def test_some_of_the_pairs_are_views_of_all():
    texts = [(f"anchor {i}", f"candidate {i}") for i in range(6)]
    pairs = replace(read_pairs(texts), groups=np.arange(6) * 10, labels=[f"label {i}" for i in range(6)])
    some = take(pairs, np.array([4, 1]))
    assert len(some) == 2
    assert some.anchors[np.array([1, 0])] == ["anchor 1", "anchor 4"]
    assert some.candidates[np.array([0])] == ["candidate 4"]
    assert (some.ids.tolist(), some.groups.tolist()) == (pairs.ids[[4, 1]].tolist(), [40, 10])
    assert some.labels == ["label 4", "label 1"]
    columned = replace(pairs, labels=TextColumn(pa.chunked_array([pairs.labels])))
    assert take(columned, np.array([4, 1])).labels == some.labels
    assert take(read_pairs(texts), np.array([4, 1])).labels is None


def test_scores_go_with_their_pairs():
    pairs = read_pairs([(f"anchor {i}", f"candidate {i}") for i in range(6)])
    assert take(replace(pairs, scores=list("abcdef")), np.array([4, 1])).scores == ["e", "b"]


def test_ceiling_counts_the_candidates_left():
    assert mean_log_candidates(np.arange(8)) == pytest.approx(log(8))
    assert mean_log_candidates(np.array([5, 5, 9])) == pytest.approx((log(2) + log(2) + log(3)) / 3)


def test_temperature_is_positive_learnable_and_clamped():
    temperature = Temperature(0.07)
    assert float(temperature().detach()) == pytest.approx(0.07)
    temperature().backward()
    assert float(temperature.log.grad) == pytest.approx(0.07)
    for value, kept in ((-50.0, COLDEST), (50.0, HOTTEST), (-2.0, np.exp(-2.0))):
        with torch.no_grad():
            temperature.log.fill_(value)
        temperature.clamp()
        assert float(temperature().detach()) == pytest.approx(kept)
    assert not Learner(nn.Linear(2, 2), 0.1, learn_temperature=False).temperature.log.requires_grad


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", 0), ("epochs", 1.5), ("epochs", True), ("batch_size", 1), ("chunk", 0), ("learning_rate", 0.0),
        ("learning_rate", -1.0), ("learning_rate", float("nan")), ("learning_rate", "fast"), ("weight_decay", -0.1),
        ("temperature", 0.0), ("temperature_learning_rate", 0.0), ("warmup", 1.1), ("patience", 0),
        ("validation", -0.1), ("test", 1.0), ("validation_candidates", 1), ("validations_per_epoch", 0), ("seed", -1),
        ("prefixes", (8, 0)),
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_named(name, value):
    Settings(**GOOD)
    with pytest.raises(InputError, match=f"^{name}|each of {name}|^validation=.* and {name}="):
        Settings(**(GOOD | {name: value}))


def test_shares_must_leave_something():
    with pytest.raises(InputError, match=r"validation=0\.5 and test=0\.5 leave"):
        Settings(**(GOOD | {"validation": 0.5, "test": 0.5}))


def test_differences_and_names():
    from functools import partial

    a, b = Settings(**GOOD).to_dict(), Settings(**(GOOD | {"epochs": 3, "seed": 1})).to_dict()
    told = differences(a, b)
    assert [part.split(" was ")[0] for part in told.split("; ")] == ["epochs", "seed"]
    assert differences(a, a) == ""
    assert name_of(info_nce) == "info_nce"
    assert name_of(partial(info_nce, symmetric=True)) == "info_nce(symmetric=True)"


def test_clock_adds_up():
    clock = Clock()
    for _ in range(2):
        with clock("a"):
            pass
    assert clock.seconds.keys() == {"a"}
    assert 0 <= clock.seconds["a"] < 1


def test_buffers_are_spread_before_a_validation(vectors, linear, monkeypatch):
    said = []

    class Noted(Validation):
        def __call__(self, learner):
            said.append("validate")
            return super().__call__(learner)

    monkeypatch.setattr(loop, "spread_buffers", lambda learner: said.append("spread"))
    pairs, learner = read_pairs(vectors), Learner(linear(), 0.1)
    validation = Noted(pairs, 20, normalize=True, seed=0)
    optimizer = torch.optim.SGD(learner.parameters(), 0.1)
    loop.Task(learner, optimizer, info_nce, pairs, validation, Settings(**GOOD), True).look()
    assert said == ["spread", "validate"]
