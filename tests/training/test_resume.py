"""However a run is stopped, resumed it ends bit for bit as if it had not been; and nothing is lost on the way."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import pytest
import torch

from infomax.encoders import StaticTextEncoder
from infomax.encoders.tokenizer_training import train_tokenizer
from infomax.errors import InfomaxError, InputError
from infomax.objectives import info_nce
from infomax.training import checkpoint, fit, load_saved, sitting, start
from infomax.training.interrupt import Interrupt
from infomax.training.run_folder import CHECKPOINT, LOG

make_encoder = partial(StaticTextEncoder.from_texts, dim=16, vocabulary_size=400, token_dropout=0.2)
RUN = {
    "encoder": make_encoder, "epochs": 4, "batch_size": 20, "learning_rate": 0.03, "patience": 2,
    "validations_per_epoch": 2, "checkpoint_seconds": 0, "progress": False,
}  # fmt: skip


class Acting:
    """The objective, which does something at its `step`-th call; every instance has the same name in the settings."""

    def __init__(self, step=None, act=None):
        self.step, self.act, self.calls = step, act, 0

    def __call__(self, scores):
        self.calls += 1
        if self.calls == self.step:
            self.act()
        return info_nce(scores, symmetric=True)


def same(one, two):
    """Two results equal in every bit that is not a time."""
    keys = [
        k for k in one.encoder.state_dict() if not torch.equal(one.encoder.state_dict()[k], two.encoder.state_dict()[k])
    ]

    def timeless(result):
        return [{k: v for k, v in entry.items() if k != "seconds"} for entry in result.history]

    return (
        not keys
        and one.temperature == two.temperature
        and timeless(one) == timeless(two)
        and one.evaluation == two.evaluation
        and one.warnings == two.warnings
    )


@pytest.fixture(scope="module")
def whole():
    """The uninterrupted run of these texts, kept for the module."""
    return {}


def uninterrupted(texts, whole):
    if not whole:
        whole["result"] = fit(texts, objective=Acting(), **RUN)
    return whole["result"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_and_the_run_goes_on(texts, whole, tmp_path, number):
    former = signal.getsignal(number)
    acting = Acting(step=7, act=lambda: signal.raise_signal(number))
    stopped = fit(texts, objective=acting, out=tmp_path, **(RUN | {"checkpoint_seconds": 1e9}))
    assert stopped.interrupted
    assert acting.calls == 7
    assert stopped.evaluation is None
    assert signal.getsignal(number) is former
    assert checkpoint.load(tmp_path / CHECKPOINT)["state"]["step"] == 7
    assert not (tmp_path / "model").exists()
    resumed = fit(texts, objective=Acting(), out=tmp_path, resume=True, **RUN)
    assert not resumed.interrupted
    assert same(resumed, uninterrupted(texts, whole))


def test_a_signal_while_a_step_is_being_saved_is_obeyed_after_the_next(texts, whole, tmp_path, monkeypatch):
    asked = []

    def signalling():
        asked.append(time.monotonic())
        if len(asked) == 4:  # once at the start, then after each step
            signal.raise_signal(signal.SIGINT)
        return asked[-1]

    monkeypatch.setattr(sitting, "monotonic", signalling)
    stopped = fit(texts, objective=Acting(), out=tmp_path, **(RUN | {"checkpoint_seconds": 1e9}))
    monkeypatch.undo()
    assert stopped.interrupted
    assert checkpoint.load(tmp_path / CHECKPOINT)["state"]["step"] == 4
    assert same(fit(texts, objective=Acting(), out=tmp_path, resume=True, **RUN), uninterrupted(texts, whole))


def test_many_stops_change_nothing(texts, whole, tmp_path):
    for _ in range(100):
        acting = Acting(step=3, act=lambda: signal.raise_signal(signal.SIGINT))
        result = fit(texts, objective=acting, out=tmp_path, resume=True, **RUN)
        if not result.interrupted:
            break
    assert same(result, uninterrupted(texts, whole))
    lines = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert lines == [dict(entry) for entry in result.history]
    assert [entry["step"] for entry in lines] == sorted({entry["step"] for entry in lines})


def test_a_second_signal_acts_as_usual():
    with Interrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert interrupt.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_an_ignored_signal_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interrupt() as interrupt:
        signal.raise_signal(signal.SIGINT)
        assert not interrupt.requested
        signal.raise_signal(signal.SIGTERM)
        assert interrupt.requested
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_in_another_thread_signals_are_left_alone():
    former, seen = signal.getsignal(signal.SIGINT), []

    def run():
        with Interrupt() as interrupt:
            seen.append((signal.getsignal(signal.SIGINT), interrupt.requested))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [(former, False)]


KILLED = """
import json, os, signal, sys
sys.path[:0] = json.loads(sys.argv[3])
import torch
torch.set_num_threads(int(sys.argv[4]))
import test_resume
from infomax.training import fit
acting = test_resume.Acting(step=8, act=lambda: os.kill(os.getpid(), signal.SIGKILL))
fit([tuple(pair) for pair in json.load(open(sys.argv[1]))], objective=acting, out=sys.argv[2], **test_resume.RUN)
"""


def test_a_run_killed_in_mid_epoch_loses_nothing(texts, whole, tmp_path):
    (tmp_path / "pairs.json").write_text(json.dumps(texts))
    here = json.dumps([os.path.dirname(__file__), *sys.path])
    command = [sys.executable, "-c", KILLED, str(tmp_path / "pairs.json"), str(tmp_path / "run"), here]
    command.append(str(torch.get_num_threads()))
    killed = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    state = checkpoint.load(tmp_path / "run" / CHECKPOINT)["state"]
    assert (state["step"], state["epoch"], state["batch"]) == (7, 1, 2)
    (tmp_path / "run" / ".checkpoint.safetensors.1.tmp").write_text("the remains of a killed writer")
    resumed = fit(texts, objective=Acting(), out=tmp_path / "run", resume=True, **RUN)
    assert same(resumed, uninterrupted(texts, whole))
    assert not list((tmp_path / "run").glob(".*.tmp"))


def test_a_finished_run_resumes_to_the_same_result(texts, whole, tmp_path):
    first = fit(texts, objective=Acting(), out=tmp_path, **RUN)
    again = fit(texts, objective=Acting(step=1, act=pytest.fail), out=tmp_path, resume=True, **RUN)
    assert same(first, again)
    assert same(first, uninterrupted(texts, whole))


@pytest.mark.parametrize("encoder", [None, make_encoder])
def test_a_finished_run_keeps_the_tokenizer_it_learned(texts, tmp_path, encoder):
    first = fit(texts, objective=Acting(), out=tmp_path, **(RUN | {"encoder": encoder}))
    files = [path for name in ("model", "index") for path in sorted((tmp_path / name).rglob("*")) if path.is_file()]
    kept = [path.read_bytes() for path in files]

    def other(tokenized, **options):
        return train_tokenizer(tokenized, vocabulary_size=200)

    with pytest.MonkeyPatch.context() as patch:  # as if it came out otherwise when learned again
        patch.setattr(start, "train_tokenizer", other)
        patch.setattr("infomax.encoders.text.train_tokenizer", other)
        again = fit(texts, objective=Acting(), out=tmp_path, resume=True, **(RUN | {"encoder": encoder}))
    assert same(first, again)
    assert [path.read_bytes() for path in files] == kept


def test_a_run_without_a_checkpoint_yet_starts_anew(texts, whole, tmp_path):
    (tmp_path / LOG).write_text("")
    assert same(fit(texts, objective=Acting(), out=tmp_path, resume=True, **RUN), uninterrupted(texts, whole))


def stop_early(texts, folder, **changes):
    acting = Acting(step=4, act=lambda: signal.raise_signal(signal.SIGINT))
    return fit(texts, objective=acting, out=folder, **(RUN | changes))


def test_what_is_not_the_same_run_is_refused_and_left(texts, vectors, linear, tmp_path):
    stop_early(texts, tmp_path)
    former = (tmp_path / CHECKPOINT).read_bytes()
    again = partial(fit, objective=Acting(), out=tmp_path)
    with pytest.raises(InputError, match=r"other settings \(epochs was 4, is 9\)"):
        again(texts, resume=True, **(RUN | {"epochs": 9}))
    with pytest.raises(InputError, match="other pairs"):
        again([*texts[:-1], ("a last pair", "that was another before")], resume=True, **RUN)
    with pytest.raises(
        InputError, match=r"encoder was one made by StaticTextEncoder\.from_texts, is the given EmbeddingBag"
    ):
        again(texts, resume=True, **(RUN | {"encoder": torch.nn.EmbeddingBag(5, 3)}))
    for changes, words in (
        ({"dim": 24}, r"\(dim was 16, is 24\)"),
        ({"vocabulary_size": 500, "max_tokens": 9}, "vocabulary_size was 400, is 500; max_tokens was not given, is 9"),
        ({"seed": 7}, "the encoder's seed was not given, is 7"),
    ):
        with pytest.raises(InputError, match=words):
            again(texts, resume=True, **(RUN | {"encoder": partial(make_encoder, **changes)}))
    with pytest.raises(InputError, match="holds a run already"):
        again(texts, **RUN)
    with pytest.raises(InputError, match="not texts"):  # refused before the old run is thrown away
        again(vectors, overwrite=True, **(RUN | {"encoder": None}))
    assert (tmp_path / CHECKPOINT).read_bytes() == former
    for damaged in (former[:-100], b"", former[:-50] + bytes([former[-50] ^ 1]) + former[-49:]):
        (tmp_path / CHECKPOINT).write_bytes(damaged)
        with pytest.raises(InputError, match="is damaged"):
            again(texts, resume=True, **RUN)
        assert (tmp_path / CHECKPOINT).read_bytes() == damaged
    other = fit(vectors, encoder=linear(), out=tmp_path, overwrite=True, epochs=1, batch_size=40, progress=False)
    assert not other.interrupted
    assert [json.loads(line)["step"] for line in (tmp_path / LOG).read_text().splitlines()][-1] == 4


def test_an_encoder_that_is_given_must_be_the_same(texts, vectors, linear, tmp_path):
    encoder = make_encoder([side for pair in texts for side in pair])
    stop_early(texts, tmp_path / "texts", encoder=encoder)
    again = partial(fit, objective=Acting(), resume=True)
    tokenizer = encoder.text_tokenizer.tokenizer
    for other, words in (
        (StaticTextEncoder(tokenizer, 16), "token_dropout was 0.2, is 0.0"),
        (make_encoder([second for _, second in texts] * 2), "tokenizer was '"),
        (None, "encoder was the given StaticTextEncoder, is one made by"),
    ):
        with pytest.raises(InputError, match=words):
            again(texts, out=tmp_path / "texts", **(RUN | {"encoder": other}))
    assert not again(texts, out=tmp_path / "texts", **(RUN | {"encoder": encoder})).interrupted
    run = {"epochs": 1, "batch_size": 40, "out": tmp_path / "vectors", "progress": False}
    fit(vectors, encoder=(linear(), linear()), objective=Acting(), **run)
    with pytest.raises(InputError, match="was the given Linear and Linear, is the given Linear"):
        again(vectors, encoder=linear(), **run)
    with pytest.raises(InputError, match="another encoder"):
        again(vectors, encoder=(linear(), torch.nn.Linear(8, 5)), **run)


def test_a_run_that_saved_nothing_but_its_encoder_begins_with_the_one_asked_for(texts, tmp_path):
    make_encoder([side for pair in texts for side in pair], dim=8).save(tmp_path / "initial")
    assert fit(texts, objective=Acting(), out=tmp_path, resume=True, **RUN).encoder.dim == 16


def test_another_footing_is_said(texts, tmp_path, monkeypatch):
    stop_early(texts, tmp_path)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 99)
    resumed = fit(texts, objective=Acting(), out=tmp_path, resume=True, **RUN)
    assert any("threads was" in warning and "is 99" in warning for warning in resumed.warnings)


def test_a_full_disk_keeps_the_former_checkpoint(texts, whole, tmp_path, monkeypatch):
    save_file, saves = checkpoint.save_file, []

    def filling(tensors, path, **options):
        saves.append(path)
        if len(saves) > 5:
            raise OSError(errno.ENOSPC, "No space left on device")
        save_file(tensors, path, **options)

    monkeypatch.setattr(checkpoint, "save_file", filling)
    with pytest.raises(InfomaxError, match="disk is full"):
        fit(texts, objective=Acting(), out=tmp_path, **RUN)
    monkeypatch.undo()
    assert checkpoint.load(tmp_path / CHECKPOINT)["state"]["step"] == 5
    assert same(fit(texts, objective=Acting(), out=tmp_path, resume=True, **RUN), uninterrupted(texts, whole))


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_good_checkpoint(texts, tmp_path):
    class Diverging(Acting):
        def __call__(self, scores):
            factor = float("nan") if self.calls == 5 else 1.0
            return super().__call__(scores) * factor

    with pytest.raises(InfomaxError, match=r"loss became nan at step 6; lower learning_rate \(now 0\.03\)"):
        fit(texts, objective=Diverging(), out=tmp_path, **RUN)
    assert checkpoint.load(tmp_path / CHECKPOINT)["state"]["step"] == 5


def test_parameters_that_are_not_finite_never_reach_the_checkpoint(texts, tmp_path):
    class Breaking(Acting):
        def __call__(self, scores):
            found = super().__call__(scores)
            # a finite loss whose gradient is nan: 0 * d sqrt(0)
            return found + 0 * (0 * scores.positive()).sqrt() if self.calls == 4 else found

    with pytest.raises(InfomaxError, match="no longer finite after step 4"):
        fit(texts, objective=Breaking(), out=tmp_path, **RUN)
    kept = checkpoint.load(tmp_path / CHECKPOINT)
    assert kept["state"]["step"] == 3
    assert all(bool(torch.isfinite(tensor).all()) for tensor in kept["learner"].values())


def test_any_module_resumes_too_with_its_dropout(vectors, linear, tmp_path):
    def encoder():
        return torch.nn.Sequential(torch.nn.Dropout(0.2), linear())

    run = {"epochs": 3, "batch_size": 40, "checkpoint_seconds": 1e9, "progress": False}
    plain = fit(vectors, encoder=encoder(), objective=Acting(), **run)
    acting = Acting(step=6, act=lambda: signal.raise_signal(signal.SIGINT))
    assert fit(vectors, encoder=encoder(), objective=acting, out=tmp_path, **run).interrupted
    torch.manual_seed(99)  # whatever the program did between
    resumed = fit(vectors, encoder=encoder(), objective=Acting(), out=tmp_path, resume=True, **run)
    assert same(plain, resumed)
    loaded = load_saved(tmp_path / "model", encoder())
    assert all(torch.equal(a, b) for a, b in zip(loaded.parameters(), resumed.encoder.parameters(), strict=True))
