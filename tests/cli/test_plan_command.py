"""`infomax plan` tells before a run what it takes; `infomax fit --encoder` goes on with a transformer."""

import json

import pytest


def test_a_plan_for_people_and_for_programs(infomax, pairs_file):
    said = infomax("plan", pairs_file, "--dim", "16", "--vocabulary", "300", "--batch-size", "100", "--epochs", "2")
    assert said.code == 0, said.err
    lines = said.out.splitlines()
    assert lines[0] == "240 pairs to learn from, 80 a step: 3 steps an epoch."
    assert "vectors of 16" in lines[1]
    for start in ("A step", "An epoch", "The run", "Memory"):
        assert any(line.startswith(start) for line in lines), said.out
    assert "GiB that are free" in said.out or "MiB that are free" in said.out
    sizes = ("--words", 5, "--dim", 16, "--batch-size", 50, "--chunk", 20)
    told = infomax("plan", "--pairs", 1000, *sizes, "--one-way", "--json", "-q")
    assert told.code == 0, told.err
    found = json.loads(told.out)
    assert (found["pairs"], found["batch_size"], found["steps_per_epoch"], found["chunk"]) == (800, 50, 16, 20)
    assert found["fits"] is True
    assert 0 < found["seconds_per_step"] < found["seconds_per_epoch"] < found["seconds"]


def test_what_cannot_be_planned_is_one_line(refused, pairs_file):
    assert "name PAIRS, or say how many there will be with --pairs" in refused("plan")
    assert "--encoder brings its own --dim" in refused("plan", "--pairs", 100, "--encoder", "x", "--dim", 5)
    assert "There is no folder x" in refused("plan", "--pairs", 100, "--encoder", "x")
    assert "--device tpu" in refused("plan", "--pairs", 100, "--device", "tpu", "-q")
    assert "--batch-size" in refused("plan", "--pairs", 100, "--batch-size", "1")


def test_a_transformer_is_fitted_and_used(infomax, pairs_file, bare_bert, tmp_path):
    pytest.importorskip("sentence_transformers", reason="needs the hf extra")
    run = tmp_path / "run"
    given = ("--max-pairs", "60", "--epochs", "1", "--batch-size", "24", "--chunk", "10", "--quiet")
    said = infomax("fit", pairs_file, "--encoder", bare_bert, "--out", run, *given)
    assert said.code == 0, said.err
    settings = json.loads((run / "result.json").read_text())["settings"]
    assert (settings["chunk"], settings["learning_rate"]) == (10, 5e-5)
    assert (run / "model" / "modules.json").is_file()
    assert len(infomax("search", run, "number1").out.splitlines()) == 5
    assert len(json.loads(infomax("encode", run / "model", stdin="one text\n").out)["vector"]) == 16
    assert "recall@1" in infomax("evaluate", bare_bert, pairs_file, "--max-pairs", "30", "--quiet").out
