"""An encoder knows what it was fitted to: figures on such pairs are called no bound, in whichever run they come up."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from torch import nn

from infomax.encoders import StaticTextEncoder, load_encoder
from infomax.evaluation import evaluate
from infomax.training import fit, load_saved

RUN = {"epochs": 1, "batch_size": 32, "progress": False}
SAID = "the model was fitted to pairs of a source with the same name"


@pytest.fixture
def others(texts):
    return [(b, f"{a} anew") for a, b in texts]


def side(result) -> str:
    return result.evaluation.readout.side


def test_another_split_of_the_same_pairs_is_no_held_out_split(texts, others, tmp_path):
    first = fit(texts, out=tmp_path / "first", **RUN)
    assert side(first) == "lower bound"
    again = fit(texts, encoder=tmp_path / "first" / "model", seed=7, **RUN)
    assert side(again) == "score"
    assert SAID in again.evaluation.readout.reason
    assert SAID in again.evaluation.readout.warnings[-1]
    assert side(fit(others, encoder=tmp_path / "first" / "model", **RUN)) == "lower bound"


def test_it_is_remembered_by_children_and_by_copies(texts, others, tmp_path):
    fit(texts, out=tmp_path / "first", **RUN)
    fit(others, encoder=tmp_path / "first" / "model", out=tmp_path / "second", **RUN)
    shutil.copytree(tmp_path / "second" / "model", tmp_path / "moved")
    loaded = load_encoder(tmp_path / "moved")
    assert [fit["source"] for fit in loaded.fitted_to] == ["data in memory"] * 2
    loaded.save(tmp_path / "again")
    for encoder in (loaded, StaticTextEncoder.load(tmp_path / "again")):
        assert evaluate(encoder, texts).readout.side == "score"
        assert evaluate(encoder, others).readout.side == "score"
        assert evaluate(encoder, texts[:60]).readout.side == "lower bound"  # data in memory are known as a whole


def test_a_file_is_known_by_its_name_though_its_rows_change(texts, tmp_path):
    file = tmp_path / "pairs.csv"
    file.write_text("\n".join(["a,b", *(f"{a},{b}" for a, b in texts)]))
    model = fit(file, **RUN).encoder
    file.write_text("\n".join(["a,b", *(f"{a},{b}" for a, b in texts[:60])]))
    assert evaluate(model, file).readout.side == "score"
    renamed = file.rename(tmp_path / "others.csv")
    assert evaluate(model, renamed).readout.side == "lower bound"


def test_modules_of_ones_own_and_two_sides_know_it_too(vectors, linear, tmp_path):
    pair = linear(), linear()
    fit(vectors, encoder=pair, out=tmp_path, **RUN)
    assert evaluate(pair, vectors).readout.side == "score"
    back = load_saved(tmp_path / "model", (linear(), linear()))
    assert evaluate(back, vectors).readout.side == "score"
    assert evaluate((linear(), linear()), vectors).readout.side == "lower bound"
    assert evaluate(pair, (vectors[1], vectors[0])).readout.side == "lower bound"


def test_a_run_that_is_stopped_and_resumed_in_one_process_reports_a_bound(vectors, linear, tmp_path):
    import signal

    def stop(scores):
        signal.raise_signal(signal.SIGINT)
        return scores.cross_entropy()

    encoder = linear()
    stop.__qualname__ = "plain"
    assert fit(vectors, encoder=encoder, objective=stop, out=tmp_path, **RUN).interrupted

    def plain(scores):
        return scores.cross_entropy()

    plain.__qualname__ = "plain"
    resumed = fit(vectors, encoder=encoder, objective=plain, out=tmp_path, resume=True, **RUN)
    assert side(resumed) == "lower bound"


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"source": "x"}]'])
def test_a_list_that_cannot_be_read_is_none(texts, tmp_path, content):
    fit(texts, out=tmp_path, **RUN)
    kept = tmp_path / "model" / "fitted_to.json"
    assert json.loads(kept.read_text())[0]["source"] == "data in memory"
    kept.write_text(content)
    assert load_encoder(tmp_path / "model").fitted_to == []


def test_what_was_never_fitted_writes_no_list(tmp_path):
    StaticTextEncoder.from_texts(["a few words", "and more"], dim=4).save(tmp_path / "new")
    assert not (tmp_path / "new" / "fitted_to.json").exists()
    assert evaluate(nn.Identity(), (torch.eye(4), torch.eye(4))).readout.side == "lower bound"
