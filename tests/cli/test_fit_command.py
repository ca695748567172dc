"""`infomax fit`: what it writes, what it says, and to whom."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest


def test_a_fit_says_what_it_found_and_where_it_is(finished):
    out = finished.said.out
    for words in ("fitted", "BM25", "untrained", "recall@10", "Information, lower bound", "bits", "nats"):
        assert words in out
    assert f"Report  {finished.folder}/report.html" in out
    assert "Rows left out of pairs.csv: 2 of 302" in out
    assert finished.said.err == ""  # --quiet
    assert "\x1b" not in out


def test_a_fit_learns(finished):
    figures = dict(re.findall(r"^  (fitted|untrained) .* (\S+) +\S+$", finished.said.out, flags=re.MULTILINE))
    assert float(figures["fitted"]) > 0.8  # recall@10 among 30; chance is 0.33
    assert float(figures["untrained"]) < 0.6


def test_the_folder_is_complete(finished):
    names = {path.name for path in finished.folder.iterdir()}
    assert {"model", "index", "log.jsonl", "result.json", "report.html"} <= names
    assert not [name for name in names if name.endswith(".tmp") or name.startswith(".")]
    assert (finished.folder / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_the_search_it_proposes_works(finished, infomax):
    (line,) = [line for line in finished.said.out.splitlines() if line.startswith("Search ")]
    command = shlex.split(line)[1:]
    assert command[:2] == ["infomax", "search"]
    assert len(infomax(*command[1:]).out.splitlines()) == 5


def test_json_alone_on_the_standard_output(pairs_file, infomax, fast):
    outcome = infomax("fit", pairs_file, *[option for option in fast if option != "--quiet"], "--json")
    assert outcome.code == 0
    found = json.loads(outcome.out)
    assert found["evaluation"]["fitted"]["recall"]["10"] > 0.5
    assert found["evaluation"]["readout"]["bits"] > 0
    assert found["sizes"] == {"train": 240, "validation": 30, "test": 30}
    assert found["read"]["kept"] == 300
    assert found["report"] == "runs/pairs/report.html"  # the default folder has the name of the file
    assert found["seconds"]["read"] > 0.001  # not the moment in which `fit` takes over what was read
    assert json.loads(Path("runs/pairs/result.json").read_text())["seconds"] == found["seconds"]
    assert found["moved"] == {"validation to train": 0, "test to train": 0, "test to validation": 0}
    assert found["warnings"] == []
    assert outcome.err.strip() == f"300 pairs from {pairs_file}; the run goes to runs/pairs"


def test_a_folder_that_holds_a_run_is_left_alone_unless_asked(finished, pairs_file, infomax, refused, fast):
    before = {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()}
    line = refused("fit", pairs_file, "--out", finished.folder, *fast)
    assert "holds a run already" in line
    assert "go on with it by --resume, throw it away by --overwrite, or choose" in line
    assert {path: path.read_bytes() for path in finished.folder.rglob("*") if path.is_file()} == before


def test_overwrite_starts_anew(pairs_file, infomax, fast):
    assert infomax("fit", pairs_file, *fast).code == 0
    again = infomax("fit", pairs_file, *fast, "--seed", "1", "--overwrite", "--json")
    assert again.code == 0
    assert json.loads(again.out)["settings"]["seed"] == 1


def test_a_changed_setting_is_named_when_a_run_is_resumed(finished, pairs_file, refused, fast):
    again = ("fit", pairs_file, "--out", finished.folder, "--label", "name", *fast, "--resume")
    assert "(--dim was 32, is 48); resume with those it had" in refused(*again, "--dim", "48")
    assert "(--vocabulary was 400, is 300)" in refused(*again, "--vocabulary", "300")
    assert "(--batch-size was 32, is 16; --seed was 0, is 2; the encoder's" in refused(
        *again, "--batch-size", "16", "--seed", "2"
    )
    assert "other pairs" in refused(*again, "--max-pairs", "200")


def test_a_folder_of_other_things_is_never_overwritten(pairs_file, refused, fast, elsewhere):
    (elsewhere / "mine").mkdir()
    (elsewhere / "mine" / "thesis.tex").write_text("x")
    line = refused("fit", pairs_file, "--out", "mine", *fast, "--overwrite")
    assert "thesis.tex" in line
    assert (elsewhere / "mine" / "thesis.tex").read_text() == "x"


def test_settings_reach_the_run(pairs_file, infomax):
    chosen = {"epochs": 1, "batch_size": 50, "learning_rate": 0.02, "temperature": 0.1, "validation": 0.2, "test": 0.3}
    options = [part for name, value in chosen.items() for part in (f"--{name.replace('_', '-')}", str(value))]
    outcome = infomax("fit", pairs_file, *options, "--seed", 5, "--dim", 24, "--vocabulary", 90, "--json")
    found = json.loads(outcome.out)
    assert {name: found["settings"][name] for name in chosen} == chosen
    assert found["settings"]["seed"] == 5
    assert found["sizes"]["test"] == 90
    config = json.loads(Path("runs/pairs/model/infomax.json").read_text())
    assert config["settings"]["dim"] == 24
    vocabulary = json.loads(Path("runs/pairs/model/tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    assert len(vocabulary) <= 90


def test_a_tab_can_be_typed(elsewhere, infomax, some_rows, fast):
    (elsewhere / "tabs.csv").write_text("\n".join(["left\tright", *(f"{a}\t{b}" for a, b in some_rows(100))]))
    assert infomax("fit", "tabs.csv", "--delimiter", "\\t", *fast).code == 0


def test_columns_and_delimiter_are_chosen_by_name(elsewhere, infomax, some_rows, fast):
    lines = [f"{i};{b};{a}" for i, (a, b) in enumerate(some_rows(200))]
    (elsewhere / "odd.csv").write_text("\n".join(["key;right;left", *lines]), encoding="latin-1")
    options = [
        "--delimiter",
        ";",
        "--anchor",
        "left",
        "--candidate",
        "right",
        "--label",
        "key",
        "--encoding",
        "latin-1",
    ]
    assert infomax("fit", "odd.csv", *options, *fast).code == 0
    hits = infomax("search", "runs/odd", some_rows(200)[7][0], "-k", "1", "--json")
    assert json.loads(hits.out)[0]["results"][0]["label"].isdigit()


def test_at_most_so_many_pairs(pairs_file, infomax, fast):
    outcome = infomax("fit", pairs_file, "--max-pairs", 100, *fast, "--json")
    read = json.loads(outcome.out)["read"]
    assert read["kept"] == 100
    assert read["skipped"]["rows beyond --max-pairs"] == 200


def test_a_model_to_go_on_from(finished, pairs_file, infomax, refused):
    options = [
        "--encoder",
        finished.folder,
        "--epochs",
        1,
        "--learning-rate",
        1e-6,
        "--out",
        "tuned",
        "--quiet",
        "--json",
    ]
    tuned = json.loads(infomax("fit", pairs_file, *options).out)
    fitted = json.loads((finished.folder / "result.json").read_text())
    assert tuned["evaluation"]["untrained"]["recall"] == fitted["evaluation"]["fitted"]["recall"]
    assert "--encoder brings its own" in refused("fit", pairs_file, "--encoder", finished.folder, "--dim", 8)


def test_python_source_is_a_source(elsewhere, infomax, some_rows, fast):
    package = elsewhere / "package"
    package.mkdir()
    for part in range(20):
        sentences = [(a.split(), b.split()) for a, b in some_rows(10, seed=part)]
        functions = [
            f'def {a[0]}_{i}(x):\n    """{" ".join(a)}."""\n    {b[0]} = x\n    return {b[1]}\n'
            for i, (a, b) in enumerate(sentences)
        ]
        (package / f"part{part}.py").write_text("\n\n".join(functions))
    outcome = infomax("fit", package, *fast, "--jobs", 1)
    assert outcome.code == 0, outcome.err
    hits = infomax("search", "runs/package", some_rows(10, seed=3)[0][0], "-k", "3")
    assert "part" in hits.out
    assert ".py:" in hits.out


def test_python_source_has_no_columns(refused, elsewhere):
    (elsewhere / "package").mkdir()
    assert "--anchor means nothing" in refused("fit", "package", "--anchor", "x")


@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_nothing_moves_in_a_pipe(pairs_file, infomax, option):
    outcome = infomax("fit", pairs_file, "--epochs", 1, "--dim", 8, "--vocabulary", 100, option)
    assert outcome.code == 0
    assert "\r" not in outcome.out + outcome.err
    assert "\x1b" not in outcome.out + outcome.err


def test_threads_are_those_asked_for(pairs_file, infomax, fast):
    import torch

    before = torch.get_num_threads()
    try:
        assert infomax("fit", pairs_file, *fast, "--jobs", 1).code == 0
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


def test_letters_that_a_terminal_lacks_become_escapes(monkeypatch, elsewhere):
    import io

    from infomax.cli import console

    class Ascii(io.StringIO):
        encoding = "ascii"

    monkeypatch.setattr(sys, "stdout", Ascii())
    console.results("7.21 ± 0.07")
    assert sys.stdout.getvalue() == "7.21 \\xb1 0.07\n"
