"""However fitting a language model is stopped, resumed it ends bit for bit as if it had not been."""

import json
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

from infomax.errors import InputError
from infomax.language import fit_language_model, load_language_model
from infomax.language.task import LanguageTask
from infomax.training import checkpoint, fit
from infomax.training.journal import Bar
from infomax.training.run_folder import CHECKPOINT, LOG, RESULT

RUN = {
    "dim": 8, "epochs": 2, "batch_size": 4, "unroll": 20, "dropout": 0.3, "noise_draws": 5, "learning_rate": 0.03,
    "validations_per_epoch": 2, "checkpoint_seconds": 0, "progress": False,
}  # fmt: skip
KINDS = {
    "lstm, nce, trigrams": {"objective": "nce", "noise": "ngram", "log_normaliser": "context"},
    "lstm, tied, mle": {"objective": "mle"},
    "lstm, untied, ranking": {"objective": "ranking", "tied": False, "layers": 2, "sparse": True},
    "log-bilinear, negative sampling": {
        "model": "log-bilinear",
        "objective": "negative-sampling",
        "batch_size": 60,
        "sparse": True,
    },
}


@pytest.fixture(autouse=True)
def usual_signals():
    """As in a shell's foreground; a background job is started with SIGINT ignored."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


@pytest.fixture
def stopping(monkeypatch):
    """A function after which each sitting is interrupted in its n-th step."""
    step, left = LanguageTask.step, [0]

    def acting(task, state, batch):
        left[0] -= 1
        if left[0] == 0:
            signal.raise_signal(signal.SIGINT)
        return step(task, state, batch)

    monkeypatch.setattr(LanguageTask, "step", acting)
    return lambda n: left.__setitem__(0, n)


def same(one, two):
    """Two results equal in every bit that is not a time."""
    pairs = zip(one.model.state_dict().items(), two.model.state_dict().items(), strict=True)

    def timeless(result):
        plain = result.to_dict() | {"seconds": None, "path": None}
        return plain | {"history": [{k: v for k, v in entry.items() if k != "seconds"} for entry in plain["history"]]}

    return all(a == b and torch.equal(s, t) for (a, s), (b, t) in pairs) and timeless(one) == timeless(two)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_stops_change_nothing(small, tmp_path, stopping, kind):
    run = RUN | KINDS[kind]
    whole = fit_language_model(small, **run)
    for sitting in range(30):
        stopping((3, 1, 5)[sitting % 3])
        found = fit_language_model(small, out=tmp_path, resume=True, **run)
        if not found.interrupted:
            break
        assert found.test is None
        assert not (tmp_path / "model").exists()
    assert sitting >= 3
    stopping(0)
    assert same(found, whole)
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert lines == [dict(entry) for entry in found.history]
    assert load_language_model(tmp_path).evaluate(small.test) == whole.test
    stopping(1)  # nothing is left to be stopped in
    assert same(fit_language_model(small, out=tmp_path, resume=True, **run), whole)


def test_ctrl_c_obeys_after_the_step_and_leaves_a_checkpoint(small, tmp_path, stopping):
    stopping(4)
    found = fit_language_model(small, out=tmp_path, **(RUN | {"checkpoint_seconds": 1e9}))
    assert found.interrupted
    assert found.validation is not None  # of the model as it stands
    assert checkpoint.load(tmp_path / CHECKPOINT)["state"]["step"] == 4
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert not (tmp_path / RESULT).exists()


def test_what_is_not_the_same_run_is_refused_and_left(small, tmp_path, stopping):
    stopping(3)
    fit_language_model(small, out=tmp_path, **RUN)
    former = (tmp_path / CHECKPOINT).read_bytes()
    for changes, words in (
        ({"epochs": 9}, r"other settings \(epochs was 2, is 9\)"),
        ({"objective": "mle", "noise_draws": 7}, "objective was 'ranking', is 'mle'; noise_draws was 5, is 7"),
        ({"log_normaliser": "context", "objective": "nce"}, "log_normaliser was 0.0, is 'context'"),
        ({"model": "log-bilinear"}, "model was 'lstm', is 'log-bilinear'"),
    ):
        with pytest.raises(InputError, match=words):
            fit_language_model(small, out=tmp_path, resume=True, **(RUN | changes))
    with pytest.raises(InputError, match="made on other texts"):
        fit_language_model(replace(small, fingerprint="another"), out=tmp_path, resume=True, **RUN)
    with pytest.raises(InputError, match="holds a run already"):
        fit_language_model(small, out=tmp_path, **RUN)
    with pytest.raises(InputError, match="choose one of them"):
        fit_language_model(small, out=tmp_path, resume=True, overwrite=True, **RUN)
    poor = replace(small, train=small.train * 0, counts=np.bincount(small.train * 0, minlength=12))
    with pytest.raises(InputError, match="1 different words"):  # refused before the run is thrown away
        fit_language_model(poor, out=tmp_path, overwrite=True, **RUN)
    assert (tmp_path / CHECKPOINT).read_bytes() == former
    for damaged in (former[:-100], b"", former[:-50] + bytes([former[-50] ^ 1]) + former[-49:]):
        (tmp_path / CHECKPOINT).write_bytes(damaged)
        with pytest.raises(InputError, match="is damaged"):
            fit_language_model(small, out=tmp_path, resume=True, **RUN)
        assert (tmp_path / CHECKPOINT).read_bytes() == damaged
    stopping(0)
    assert not fit_language_model(small, out=tmp_path, overwrite=True, **RUN).interrupted


def test_a_checkpoint_of_an_encoder_is_no_language_model(small, tmp_path):
    vectors = torch.randn(40, 4, generator=torch.Generator().manual_seed(0))
    fit((vectors, vectors + 0.1), encoder=torch.nn.Linear(4, 3), out=tmp_path, epochs=1, batch_size=10, progress=False)
    with pytest.raises(InputError, match="checkpoint is of another kind of run, that learned an encoder"):
        fit_language_model(small, out=tmp_path, resume=True, **RUN)


def test_a_run_folder_of_others_is_left(small, tmp_path):
    (tmp_path / "letters.txt").write_text("dear")
    with pytest.raises(InputError, match="files that are no run"):
        fit_language_model(small, out=tmp_path, overwrite=True, **RUN)
    assert (tmp_path / "letters.txt").read_text() == "dear"


def test_several_processes_are_refused(small, monkeypatch):
    for name, value in (("WORLD_SIZE", "2"), ("RANK", "1"), ("MASTER_ADDR", "localhost"), ("MASTER_PORT", "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match="without torchrun"):
        fit_language_model(small, **RUN)


def test_progress_says_the_perplexity(capsys):
    with Bar(True) as bar:
        bar.describe("training", total=2)
        bar.advance(1, [{"validation_loss": 2.5, "validation_perplexity": 12.25}])
    assert "perplexity 12.2" in capsys.readouterr().err
