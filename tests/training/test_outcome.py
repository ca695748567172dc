"""What a run leaves behind: model, index, result, log; and how they are loaded."""

import builtins
import json
import sys

import pytest
import torch
from torch import nn

from infomax.data import TensorColumn
from infomax.encoders import StaticTextEncoder, load_encoder
from infomax.errors import InputError
from infomax.evaluation import load_index, search
from infomax.training import fit, load_saved
from infomax.training.journal import Bar
from infomax.training.model_folder import save_encoder
from infomax.training.outcome import _strict

QUICK = {"epochs": 2, "batch_size": 32, "learning_rate": 0.02, "progress": False}


def test_a_run_folder_holds_all_that_is_needed_to_search(texts, tmp_path):
    result = fit(texts, out=tmp_path, **QUICK)
    assert result.path == tmp_path
    assert {p.name for p in tmp_path.iterdir()} == {
        "checkpoint.safetensors",
        "log.jsonl",
        "result.json",
        "initial",
        "model",
        "index",
    }
    encoder = load_encoder(tmp_path / "model")
    assert torch.equal(encoder.table, result.encoder.table)
    hits = search(encoder, load_index(tmp_path / "index"), [texts[7][1]], k=3)
    assert hits[0][0][0] == texts[7][1]
    assert len(load_index(tmp_path / "index").vectors) == len({candidate for _, candidate in texts})

    kept = json.loads((tmp_path / "result.json").read_text())
    assert kept["temperature"] == result.temperature
    assert kept["sizes"] == result.sizes
    assert kept["settings"]["epochs"] == 2
    assert kept["evaluation"]["readout"]["bound"] == result.evaluation.readout.bound
    assert kept["evaluation"]["bm25"]["recall"]["10"] == result.evaluation.bm25.recall[10]
    assert [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()] == kept["history"]


@pytest.mark.parametrize("normalize", [True, False])
def test_the_index_searches_by_the_score_that_was_fitted(vectors, linear, tmp_path, normalize):
    result = fit(vectors, encoder=linear(), normalize=normalize, temperature=1.0, out=tmp_path, **QUICK)
    anchors, candidates = (result.encoder(side).detach() for side in vectors)
    if normalize:
        anchors, candidates = (nn.functional.normalize(side, dim=1) for side in (anchors, candidates))
    hits = search(result.encoder, load_index(tmp_path / "index"), TensorColumn(vectors[0]), k=1)
    assert [value for ((_, value),) in hits] == pytest.approx((anchors @ candidates.T).amax(1).tolist(), abs=2e-3)


def test_two_sides_are_saved_and_loaded_apart(vectors, linear, tmp_path):
    result = fit(vectors, encoder=(linear(), linear()), out=tmp_path, **QUICK)
    loaded = load_saved(tmp_path / "model", (linear(), linear()))
    assert torch.equal(loaded.anchor.weight, result.encoder.anchor.weight)
    assert torch.equal(loaded.candidate.weight, result.encoder.candidate.weight)
    assert not torch.equal(loaded.anchor.weight, loaded.candidate.weight)


def test_models_that_cannot_be_loaded_are_told(linear, texts, tmp_path):
    with pytest.raises(InputError, match="holds no model"):
        load_saved(tmp_path)
    save_encoder(linear(), tmp_path / "linear")
    with pytest.raises(InputError, match="module of your own; in Python"):
        load_saved(tmp_path / "linear")
    with pytest.raises(InputError, match="another shape"):
        load_saved(tmp_path / "linear", nn.Linear(3, 3))
    (tmp_path / "linear" / "model.safetensors").write_bytes(b"x" * 100)
    with pytest.raises(InputError, match="damaged"):
        load_saved(tmp_path / "linear", linear())
    text = StaticTextEncoder.from_texts([t for pair in texts for t in pair], dim=8)
    save_encoder(text, tmp_path / "text")
    assert torch.equal(load_saved(tmp_path / "text").table, text.table)


def test_tensorboard_curves(vectors, linear, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    result = fit(vectors, encoder=linear(), out=tmp_path, tensorboard=True, **QUICK)
    events = EventAccumulator(str(tmp_path / "tensorboard"))
    events.Reload()
    losses = [(e.step, e.value) for e in events.Scalars("loss")]
    assert losses == [(entry["step"], pytest.approx(entry["loss"])) for entry in result.history]


def test_a_missing_tensorboard_is_said_before_anything_starts(vectors, linear, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *rest):
        if name == "torch.utils.tensorboard":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"infomax\[tensorboard\]"):
        fit(vectors, encoder=linear(), out=tmp_path, tensorboard=True, **QUICK)
    assert not list(tmp_path.iterdir())


def test_the_bar_is_quiet_when_nobody_watches(vectors, linear, capfd):
    fit(vectors, encoder=linear(), **(QUICK | {"progress": None}))
    assert capfd.readouterr() == ("", "")
    fit(vectors, encoder=linear(), **(QUICK | {"progress": True}))
    out, err = capfd.readouterr()
    assert out == ""
    assert "training" in err


def test_the_bar_shows_by_default_where_a_person_watches(monkeypatch):
    for watched in (True, False):
        monkeypatch.setattr(sys.stderr, "isatty", lambda watched=watched: watched)
        assert Bar(None)._bar.disable is not watched


def test_json_has_no_numbers_that_json_does_not_know():
    assert _strict({"a": [1.5, float("nan"), (float("inf"), 2)], 3: None}) == {"a": [1.5, None, [None, 2]], "3": None}
