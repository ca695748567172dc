"""Plans: the arithmetic of a run exactly, its costs from a meter that knows the truth, and that nothing is learned."""

import sys
from functools import partial

import pytest
import torch
from torch import nn

from infomax.encoders import StaticTextEncoder, TransformerEncoder
from infomax.errors import InputError
from infomax.training import fit, forecast, plan
from infomax.training import metering as metered
from infomax.training.metering import Cost, Meter, line, square

small = partial(StaticTextEncoder.from_texts, dim=16, vocabulary_size=400)
BYTE = 2**20


class Told(Meter):
    """A meter that does the work but is told what it costs: by the rows, seconds of a model; memory in proportion."""

    def __call__(self, rows, work, *, again=0.0):
        work()
        return Cost(rows, self.seconds(work), BYTE * (100 + rows))

    def ladder(self, rows, work, *, seconds, first=8):
        sizes = [n for n in (8, 16, 32) if n < rows] + [rows] * (rows < 40)
        for n in sizes:
            work(n)
        kind = work.__qualname__.split(".")[0]
        cost = {
            "_scores": lambda n: 0.001 * n**2,
            "_at_once": lambda n: 0.001 * n**2 + 0.1 * n,
            "of_look": lambda n: 0.05 * n,
        }
        return [Cost(n, cost[kind](n), BYTE * (100 + n)) for n in sizes]

    @staticmethod
    def seconds(work):
        if not isinstance(work, partial):
            return 0.5  # a step of the optimizer
        side, chosen = work.args
        return 0.01 * float(forecast.lengths(side.column, chosen).sum())

    def held(self):
        return 100 * BYTE


def test_lines_and_squares_go_through_what_was_measured():
    costs = [Cost(10, 3.0, None), Cost(20, 10.0, None)]
    assert square(costs, 20) == 10.0
    assert square(costs, 10) == 3.0
    assert square(costs, 40) == pytest.approx(0.1 * 40 + 0.02 * 40**2)
    assert square([Cost(10, 4.0, None), Cost(20, 6.0, None)], 40) == pytest.approx(12.0)  # no square: in proportion
    assert square([Cost(10, 1.0, None), Cost(20, 8.0, None)], 40) == pytest.approx(32.0)  # no line: all of it a square
    assert line(costs, 20, lambda c: c.seconds) == 10.0
    assert line([Cost(10, 3.0, None), Cost(20, 2.0, None)], 40, lambda c: c.seconds) == 2.0
    assert line(costs[:1], 40, lambda c: c.seconds) == 12.0


def test_the_arithmetic_of_a_run_is_that_of_fit(texts):
    found = plan(texts, encoder=small, batch_size=40, epochs=2, seconds=0.2)
    run = fit(texts, encoder=small, batch_size=40, epochs=2, patience=None, progress=False)
    assert found.pairs == run.sizes["train"]
    assert found.steps_per_epoch * 2 == run.history[-1]["step"]
    assert found.batch_size == 32  # 96 pairs in three batches
    assert found.dim == 16
    assert found.seconds == pytest.approx(2 * found.seconds_per_epoch)
    assert found.seconds_per_step == found.encode_seconds + found.score_seconds
    assert found.seconds_per_epoch > found.steps_per_epoch * found.seconds_per_step
    assert found.measured_rows == 32
    assert found.parameters == sum(p.numel() for p in run.encoder.parameters())
    assert found.to_dict()["fits"] is found.fits is True
    assert 50 * BYTE < found.peak_bytes < found.free_bytes


def test_more_pairs_than_are_given(texts, monkeypatch):
    monkeypatch.setattr(sys.modules["infomax.training.plan"], "Meter", Told)
    found = plan(texts, number=1000, encoder=small, batch_size=400)
    assert (found.pairs, found.steps_per_epoch, found.batch_size) == (800, 2, 400)
    assert found.score_seconds == pytest.approx(0.001 * 400**2)  # a square, from 16 and 32 rows
    assert found.encode_seconds == pytest.approx(0.1 * 400)
    assert found.seconds_per_epoch == pytest.approx(2 * found.seconds_per_step + 0.05 * 100)
    own = 4 * (found.parameters + 1)  # and the temperature
    assert found.peak_bytes == pytest.approx(BYTE * (100 + 400) + own, rel=1e-3)


def test_each_validation_of_an_epoch_is_planned(texts, monkeypatch):
    monkeypatch.setattr(sys.modules["infomax.training.plan"], "Meter", Told)
    options = {"batch_size": 400, "validation": 0.2, "test": 0.1, "validations_per_epoch": 3}
    found = plan(texts, number=1000, encoder=small, **options)
    assert found.seconds_per_epoch == pytest.approx(found.steps_per_epoch * found.seconds_per_step + 3 * 0.05 * 200)


@pytest.mark.parametrize("rows", [8, 400])
def test_the_best_parameters_and_the_copies_of_a_checkpoint_are_in_the_planned_peak(texts, monkeypatch, rows):
    """A step is told to take 1 MiB a row beside the 100 MiB that are held; a checkpoint copies best, learner and two moments."""
    monkeypatch.setattr(sys.modules["infomax.training.plan"], "Meter", Told)
    encoder = partial(StaticTextEncoder.from_texts, dim=4096)
    found = plan(texts, number=1000, encoder=encoder, batch_size=rows)
    own = 4 * (found.parameters + 1)
    step, saving = (100 + rows) * BYTE, 100 * BYTE + 4 * own
    assert (step < saving) == (rows == 8)  # each is the larger once
    assert found.peak_bytes == pytest.approx(own + max(step, saving), rel=1e-3)  # counts of steps too


def test_chunks_are_added_up_each_at_its_own_length(monkeypatch):
    """Of a column that knows its lengths, chunk i costs what its rows do: interpolation over four of ten is exact here."""
    pairs = [("a " * (1 + i), "b " * (100 - i)) for i in range(100)]
    encoder = StaticTextEncoder.from_texts(["a", "b"] * 3, dim=4)
    monkeypatch.setattr(sys.modules["infomax.training.plan"], "Meter", Told)
    found = plan(pairs, encoder=encoder, batch_size=100, chunk=10, validation=0, test=0)
    assert found.encode_seconds == pytest.approx(2 * 0.01 * sum(range(1, 101)) + 0.5)
    assert found.score_seconds == pytest.approx(0.001 * 100**2)
    assert found.chunk == 10
    vectors_bytes = 4 * 100 * 4 * 4
    assert found.peak_bytes >= BYTE * 110 + vectors_bytes


def test_the_rest_of_a_batch_that_fills_no_chunk_is_planned_too(monkeypatch):
    pairs = [("a " * (1 + i), "b " * (95 - i)) for i in range(95)]
    encoder = StaticTextEncoder.from_texts(["a", "b"] * 3, dim=4)
    monkeypatch.setattr(sys.modules["infomax.training.plan"], "Meter", Told)
    found = plan(pairs, encoder=encoder, batch_size=95, chunk=10, validation=0, test=0)
    full, last = sum(range(6, 96)), sum(range(6, 16))  # nine chunks, and half a one: half of the shortest whole one
    assert found.encode_seconds == pytest.approx(2 * 0.01 * (full + last / 2) + 0.5)


def test_nothing_is_learned_and_noise_is_put_back(vectors, linear):
    encoder, state = linear(), torch.get_rng_state()
    before = [p.clone() for p in encoder.parameters()]
    plan(vectors, encoder=encoder, batch_size=50, seconds=0.1)
    plan(vectors, encoder=(encoder, encoder), batch_size=50, chunk=8, seconds=0.1)
    assert all(torch.equal(p, q) and p.grad is None for p, q in zip(encoder.parameters(), before, strict=True))
    assert torch.equal(torch.get_rng_state(), state)


def test_a_transformer_is_planned_in_its_usual_chunks(bare_bert):
    pairs = [(f"hello world {i}", f"remove {i} duplicates") for i in range(60)]
    found = plan(pairs, encoder=bare_bert, batch_size=50, seconds=0.2)
    assert (found.chunk, found.dim) == (32, 16)
    assert found.encode_seconds > 0
    assert found.parameters == sum(p.numel() for p in TransformerEncoder.load(bare_bert).parameters())


def test_a_meter_measures():
    meter, now = Meter(torch.device("cpu"), lambda: now[0]), [0.0]

    def work(n=1):
        now[0] += n / 10
        return torch.ones(n * BYTE)

    assert meter(7, work).seconds == pytest.approx(0.1)
    sizes = [cost.rows for cost in meter.ladder(50, work, seconds=1e9, first=8)]
    assert sizes == [8, 16, 32, 50]
    assert [cost.rows for cost in meter.ladder(50, work, seconds=5.0, first=8)] == [8, 16]
    assert [cost.rows for cost in meter.ladder(5, work, seconds=5.0, first=8)] == [5]
    if metered._RESET.exists():
        before = meter.held()
        assert before + 190 * BYTE < meter(1, lambda: work(50)).peak < before + 230 * BYTE
        assert meter(1, lambda: None).peak < before + 100 * BYTE  # the peak of before is forgotten


def test_what_fit_would_refuse_is_refused(texts, vectors):
    for arguments, words in (
        ({"batch_size": 1}, "batch_size must be"),
        ({"chunk": 0}, "chunk must be"),
        ({"encoder": nn.Identity()}, "no parameter"),
        ({"encoder": "nowhere"}, "no folder nowhere"),
        ({"number": 1}, "at least two pairs"),
        ({"validation": 0.6, "test": 0.5}, "leave nothing to learn from"),
    ):
        with pytest.raises(InputError, match=words):
            plan(texts, seconds=0.1, **arguments)
    with pytest.raises(InputError, match="not texts"):
        plan(vectors)
