"""An objective that is a module: what it holds is learned along, and is part of a run as the encoder is."""

from __future__ import annotations

import signal

import pytest
import torch
from torch import nn

from infomax.errors import InfomaxError, InputError
from infomax.objectives import MineLoss, sigmoid
from infomax.training import checkpoint, fit
from infomax.training.run_folder import CHECKPOINT

RUN = {"epochs": 3, "batch_size": 40, "checkpoint_seconds": 1e9, "progress": False}


class Biased(nn.Module):
    """SigLIP's loss with a bias to learn; stops the run at a step."""

    def __init__(self, stop: int | None = None, start: float = -3.0) -> None:
        super().__init__()
        self.bias, self.calls, self.stop = nn.Parameter(torch.tensor(start)), 0, stop

    def forward(self, scores):
        self.calls += 1
        if self.calls == self.stop:
            signal.raise_signal(signal.SIGINT)
        return sigmoid(scores, self.bias)


class Mine(MineLoss):
    """MINE, which stops the run at a step."""

    stop, calls = None, 0

    def forward(self, scores):
        self.calls += 1
        if self.calls == self.stop:
            signal.raise_signal(signal.SIGINT)
        return super().forward(scores)


def stopping(cls, **options):
    made = cls(**options)
    made.stop = 6
    return made


def test_its_parameters_are_learned_in_chunks_too(vectors, linear):
    pairs, biases = tuple(side.double() for side in vectors), []
    for chunk in (None, 7):
        objective = Biased()
        fit(pairs, encoder=linear().double(), objective=objective, chunk=chunk, **RUN)
        biases.append(float(objective.bias.detach()))
    assert biases[0] == pytest.approx(biases[1], rel=1e-5)  # the bias and the temperature are float32
    assert abs(biases[0] + 3) > 0.01


def test_a_learned_bias_goes_the_way_of_its_gradient(vectors, linear):
    """As many true as chance pairs a row would want 0; 39 chance pairs a true one want less than a bias of 5."""
    objective = Biased(start=5.0)
    fit(vectors, encoder=linear(), objective=objective, learning_rate=0.1, **{**RUN, "epochs": 10})
    assert float(objective.bias.detach()) < 4.5


def test_a_teacher_in_it_stays_as_it_is(vectors, linear):
    class Taught(nn.Module):
        def __init__(self, encoder) -> None:
            super().__init__()
            self.teacher = nn.Dropout(0.5).eval()
            self.student = encoder  # its parameters are learned already

        def forward(self, scores):
            assert not self.teacher.training
            return scores.cross_entropy()

    one, other = linear(), linear()
    fit(vectors, encoder=one, objective=Taught(one), **RUN)
    fit(vectors, encoder=other, objective=lambda scores: scores.cross_entropy(), **RUN)
    assert torch.equal(one.weight, other.weight)


@pytest.mark.parametrize("cls", [Biased, Mine])
def test_a_resumed_run_is_the_unbroken_one(vectors, linear, tmp_path, cls):
    whole = cls()
    plain = fit(vectors, encoder=linear(), objective=whole, **RUN)
    assert fit(vectors, encoder=linear(), objective=stopping(cls), out=tmp_path, **RUN).interrupted
    again = cls()
    resumed = fit(vectors, encoder=linear(), objective=again, out=tmp_path, resume=True, **RUN)
    for a, b in zip(plain.encoder.parameters(), resumed.encoder.parameters(), strict=True):
        assert torch.equal(a, b)
    assert all(torch.equal(t, again.state_dict()[name]) for name, t in whole.state_dict().items())
    assert {f"objective.{name}" for name in whole.state_dict()} <= set(
        checkpoint.load(tmp_path / CHECKPOINT)["learner"]
    )


def test_settings_of_it_are_settings_of_the_run(vectors, linear, tmp_path):
    fit(vectors, encoder=linear(), objective=stopping(Mine, rate=0.1), out=tmp_path, **RUN)
    with pytest.raises(InputError, match=r"objective was 'Mine\(rate=0.1\)', is 'Mine\(rate=0.9\)'"):
        fit(vectors, encoder=linear(), objective=Mine(rate=0.9), out=tmp_path, resume=True, **RUN)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "objective must be a function from scores to losses, got None"),
        (lambda scores: 1.0, "must give a tensor of losses, .N,. or their mean; got float"),
        (lambda scores: (scores.cross_entropy(),), "got tuple"),
        (lambda scores: scores.rank(), "got torch.int64"),
        (lambda scores: scores.dense(), r"got torch.float32 \(32, 32\)"),
    ],
)
def test_objectives_that_cannot_be(vectors, linear, given, says):
    with pytest.raises(InputError, match=says):
        fit(vectors, encoder=linear(), objective=given, **{**RUN, "batch_size": 32})


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"temperature": 0.001}, "A learned temperature stays between 0.005 and 2.0, so it cannot start at 0.001"),
        ({"temperature": 5}, "cannot start at 5"),
        ({"learn_temperature": 3}, "learn_temperature must be True or False, got 3"),
        ({"prefixes": 4}, "prefixes must be a list of whole numbers, got 4"),
        ({"out": 3}, "out must be a folder's name, got 3"),
        ({"seed": 2**64}, "seed must be below"),
        ({"device": "abacus"}, "device='abacus' cannot be used"),
        ({"device": "meta"}, "device='meta' cannot be used"),
        ({"checkpoint_seconds": float("nan")}, "checkpoint_seconds must be a number between 0 and inf"),
        ({"checkpoint_seconds": -1}, "checkpoint_seconds must be a number between 0 and inf"),
    ],
)
def test_settings_that_cannot_be(vectors, linear, options, says):
    with pytest.raises(InputError, match=says):
        fit(vectors, encoder=linear(), **RUN | options)


@pytest.mark.parametrize("temperature", [0.001, 5.0, 100.0])
def test_a_fixed_temperature_stays(vectors, linear, temperature):
    seen = set()

    def recording(scores):
        seen.add(float(scores.temperature))
        return scores.cross_entropy()

    options = {"temperature": temperature, "learn_temperature": False}
    result = fit(vectors, encoder=linear(), objective=recording, **options, **RUN)
    assert seen == {result.temperature}
    assert result.temperature == pytest.approx(temperature)


def test_a_gradient_that_is_not_finite_is_told_at_a_validation_too(vectors, linear):
    calls = 0

    def breaking(scores):
        nonlocal calls
        calls += 1
        broken = calls == 4  # the last of its epoch: a validation follows; 0 * d sqrt(0)
        return scores.cross_entropy() + (0 * (0 * scores.positive()).sqrt() if broken else 0)

    with pytest.raises(InfomaxError, match=r"parameter .* is no longer finite after step 4"):
        fit(vectors, encoder=linear(), objective=breaking, **RUN)
