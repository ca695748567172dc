"""`encode`, `search` and `evaluate` on a finished run."""

from __future__ import annotations

import gzip
import json
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from infomax import load_encoder
from infomax.evaluation import load_index


@pytest.fixture
def model(finished):
    return finished.folder


def test_encode_writes_what_the_encoder_gives(model, infomax, elsewhere):
    texts = ["ban kest lor", "", "zebra"]
    (elsewhere / "texts.txt").write_text("\n".join(texts) + "\n")
    expected = load_encoder(model / "model").encode(texts)
    for name in ("v.npy", "v.parquet", "v.jsonl"):
        outcome = infomax("encode", model, "texts.txt", "--out", name)
        assert outcome.out == f"3 vectors of 32 numbers in {name}\n"
    np.testing.assert_array_equal(np.load("v.npy"), expected)
    table = pq.read_table("v.parquet")
    assert table["text"].to_pylist() == texts
    np.testing.assert_array_equal(np.array(table["vector"].to_pylist(), dtype=np.float32), expected)
    lines = [json.loads(line) for line in (elsewhere / "v.jsonl").read_text().splitlines()]
    assert [line["text"] for line in lines] == texts
    np.testing.assert_array_equal(np.array([line["vector"] for line in lines], dtype=np.float32), expected)


def test_encode_reads_the_standard_input_and_prints_lines(model, infomax):
    outcome = infomax("encode", model, "--dim", 4, stdin="ban\nkest\n")
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert [line["text"] for line in lines] == ["ban", "kest"]
    assert all(len(line["vector"]) == 4 for line in lines)
    assert np.linalg.norm(lines[0]["vector"]) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_encode_keeps_texts_beside_their_rows(model, infomax, elsewhere, ending):
    import pyarrow as pa

    texts = ["ban", "", "kest lor", "gam"]
    if ending == "csv":
        (elsewhere / "t.csv").write_text("id,text\n" + "\n".join(f"{i},{t}" for i, t in enumerate(texts)))
    elif ending == "jsonl":
        lines = [json.dumps({"id": i, "text": text or None}) for i, text in enumerate(texts)]
        (elsewhere / "t.jsonl").write_text("\n".join(lines))
    else:
        pq.write_table(pa.table({"id": range(4), "text": [text or None for text in texts]}), "t.parquet")
    assert infomax("encode", model, f"t.{ending}", "--column", "text", "--out", "v.npy", "--json").code == 0
    np.testing.assert_array_equal(np.load("v.npy"), load_encoder(model / "model").encode(texts))


def test_encode_counts_what_it_cannot_read(model, infomax, elsewhere):
    (elsewhere / "t.csv").write_text("id,text\n1,ban\n2\n3,kest\n")
    outcome = infomax("encode", model, "t.csv", "--column", "text", "--out", "v.npy", "--json")
    assert sum(json.loads(outcome.out)["skipped"].values()) == 1
    assert outcome.err.startswith("left out: 1 rows whose number of cells")


def test_encode_overwrites_only_when_asked(model, refused, infomax, elsewhere):
    (elsewhere / "v.npy").write_text("precious")
    assert "v.npy exists already" in refused("encode", model, "--out", "v.npy", stdin="ban")
    assert (elsewhere / "v.npy").read_text() == "precious"
    assert infomax("encode", model, "--out", "v.npy", "--overwrite", stdin="ban").code == 0
    assert np.load("v.npy").shape == (1, 32)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--out", "v.txt"], "should end in .npy, .parquet, .jsonl"),
        (["none.txt"], "No file none.txt"),
        (["t.csv"], "name the column of its texts by --column"),
        (["t.csv", "--column", "body"], "no column 'body'; it has 'id', 'text'"),
        (["empty.txt"], "holds no text"),
        (["latin.txt"], "is not utf-8"),
        (["cut.txt.gz"], "cut.txt.gz cannot be read"),
        (["-", "--column", "text"], "The standard input is read as lines, a text each: give a table as a file"),
        (["-", "--delimiter", ";"], "The standard input is read as lines"),
        (["-", "--encoding", "utf-16"], "The standard input is not utf-16 text"),
        (["--dim", "33"], "dim must lie between 1 and 32"),
    ],
)
def test_encode_refuses(model, refused, elsewhere, arguments, words):
    (elsewhere / "t.csv").write_text("id,text\n1,ban\n")
    (elsewhere / "empty.txt").write_text("")
    (elsewhere / "latin.txt").write_bytes("caf\xe9".encode("latin-1"))
    (elsewhere / "cut.txt.gz").write_bytes(gzip.compress(b"ban " * 999)[:-9])
    assert words in refused("encode", model, *arguments, stdin="ban")


def test_encode_reads_other_encodings(model, infomax, elsewhere):
    (elsewhere / "latin.txt").write_bytes("café\nban".encode("latin-1"))
    outcome = infomax("encode", model, "latin.txt", "--encoding", "latin-1")
    assert json.loads(outcome.out.splitlines()[0])["text"] == "café"
    outcome = infomax("encode", model, "-", "--encoding", "latin-1", stdin="café\nban".encode("latin-1"))
    assert json.loads(outcome.out.splitlines()[0])["text"] == "café"
    outcome = infomax("encode", model, stdin=b"\xef\xbb\xbfban\r\nkest")  # a byte order mark, an end of Windows
    assert [json.loads(line)["text"] for line in outcome.out.splitlines()] == ["ban", "kest"]
    assert "The standard input is not utf-8 text" in infomax("encode", model, stdin=b"the cat \xff").err


def test_search_ranks_the_true_partner_high(model, infomax, some_rows):
    queries = [a for a, _ in some_rows(300)[:40]]
    found = json.loads(infomax("search", model, *queries, "-k", "10", "--json").out)
    assert [entry["query"] for entry in found] == queries
    hits = [f"item {i}" in [hit["label"] for hit in entry["results"]] for i, entry in enumerate(found)]
    assert sum(hits) > 30
    for entry in found:
        scores = [hit["score"] for hit in entry["results"]]
        assert scores == sorted(scores, reverse=True)
        assert len(scores) == 10


def test_search_prints_scores_beside_labels(model, infomax):
    lines = infomax("search", model, "ban kest", "-k", "2").out.splitlines()
    assert len(lines) == 2
    score, label = lines[0].split(maxsplit=1)
    assert -1 <= float(score) <= 1
    assert label.startswith("item ")


def test_search_reads_queries_from_the_standard_input(model, infomax):
    outcome = infomax("search", model, "-", "-k", "1", stdin="ban kest\n\ngam\n")
    blocks = outcome.out.strip().split("\n\n")
    assert [block.splitlines()[0] for block in blocks] == ["ban kest", "gam"]


def test_search_of_another_corpus(model, infomax, elsewhere):
    (elsewhere / "corpus.txt").write_text("nab tsek\n\nrol\nnab tsek\n")
    found = json.loads(infomax("search", model, "ban kest", "--corpus", "corpus.txt", "--json").out)
    assert [hit["label"] for hit in found[0]["results"]] == ["nab tsek", "rol"]
    (elsewhere / "corpus.csv").write_text("id,body\n1,nab\n2,rol\n")
    outcome = infomax("search", model / "model", "ban", "--corpus", "corpus.csv", "--column", "body")
    assert sorted(line.split()[1] for line in outcome.out.splitlines()) == ["nab", "rol"]


def test_search_of_python_source(model, infomax, elsewhere):
    (elsewhere / "code").mkdir()
    (elsewhere / "code" / "a.py").write_text('def ban():\n    """Ban the kest of lor."""\n    return 1\n\n' * 1)
    (elsewhere / "code" / "b.py").write_text('def gam():\n    """Gam the dir of mul."""\n    return 2\n')
    outcome = infomax("search", model, "ban", "--corpus", "code", "-k", "1")
    assert "(a.py:1)" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere", "ban"], "There is no folder nowhere"),
        (["plain", "ban"], "holds no model"),
        (["MODEL", " "], "There is no query"),
        (["MODEL", "ban", "--column", "x"], "--column names a column of --corpus"),
        (["MODEL", "ban", "--corpus", "none.txt"], "No file none.txt"),
        (["MODEL/model", "ban"], "holds no search index"),
    ],
)
def test_search_refuses(model, refused, elsewhere, arguments, words):
    (elsewhere / "plain").mkdir()
    assert words in refused("search", *[argument.replace("MODEL", str(model)) for argument in arguments])


def test_a_damaged_model_or_index_is_named(model, refused, elsewhere):
    copy = elsewhere / "copy"
    shutil.copytree(model, copy)
    (copy / "index" / "vectors.safetensors").write_bytes(b"broken")
    assert "search index in copy/index is damaged" in refused("search", "copy", "ban")
    (copy / "model" / "infomax.safetensors").write_bytes(b"broken")
    assert "copy/model is damaged" in refused("search", "copy", "ban")
    (copy / "model" / "infomax.json").write_text("{")
    assert "copy/model is damaged" in refused("encode", "copy", stdin="ban")


def test_labels_cannot_steer_the_terminal(model, infomax, elsewhere):
    (elsewhere / "corpus.txt").write_text("nab\x1b[2J\u202etsek\n")
    assert not {"\x1b", "\u202e"} & set(infomax("search", model, "ban", "--corpus", "corpus.txt").out)


def test_the_index_holds_every_candidate(model):
    assert len(load_index(model / "index").labels) == 300


def test_evaluate_on_fresh_pairs(model, infomax, some_rows, elsewhere):
    lines = [f"{a},{b}" for a, b in some_rows(120, seed=9)]
    (elsewhere / "fresh.csv").write_text("\n".join(["anchor,candidate", *lines]))
    outcome = infomax("evaluate", model, "fresh.csv", "--json")
    found = json.loads(outcome.out)
    assert found["fitted"]["candidates"] == 120
    assert found["fitted"]["recall"]["10"] > 0.5
    assert found["readout"]["side"] == "lower bound"
    assert found["temperature"] == json.loads((model / "result.json").read_text())["temperature"]
    assert (
        json.loads(infomax("evaluate", model, "fresh.csv", "--temperature", "0.2", "--json").out)["temperature"] == 0.2
    )
    text = infomax("evaluate", model, "fresh.csv", "--quiet").out
    assert "Information, lower bound" in text
    assert "recall@10" in text


def test_evaluate_calls_nothing_a_bound_on_the_pairs_that_were_learned(model, infomax, pairs_file):
    outcome = infomax("evaluate", model, pairs_file, "--quiet")
    assert "lower bound" not in outcome.out
    assert "the model was fitted to pairs of a source with the same name" in outcome.out
    assert "Rows left out of pairs.csv: 2 of 302" in outcome.out


def test_evaluate_against_scores_of_people(model, infomax, some_rows, elsewhere, refused):
    rows = some_rows(60, seed=4)
    graded = [(a, b, 5) for a, b in rows[:30]] + [(rows[i][0], rows[i + 1][1], i / 100) for i in range(30, 59)]
    (elsewhere / "graded.csv").write_text("\n".join(["a,b,score", *(f"{a},{b},{s}" for a, b, s in graded)]))
    found = json.loads(infomax("evaluate", model, "graded.csv", "--scores", "score", "--json").out)
    assert found["scored_pairs"] == 59
    assert found["spearman"] > 50
    text = infomax("evaluate", model, "graded.csv", "--scores", "score").out
    assert f"Spearman's rank correlation with the scores: {found['spearman']:.1f}" in text
    blank = [(a, 7 + i, "") for i, (a, _) in enumerate(some_rows(20, seed=5))]  # candidates that look like scores
    (elsewhere / "graded.csv").write_text("\n".join(["a,b,score", *(f"{a},{b},{s}" for a, b, s in [*graded, *blank])]))
    again = json.loads(infomax("evaluate", model, "graded.csv", "--scores", "score", "--json").out)
    told = ("spearman", "scored_pairs")
    assert [again[name] for name in told] == [found[name] for name in told]
    assert again["unscored_pairs"] == 20
    assert "59 pairs; 20 without a score)" in infomax("evaluate", model, "graded.csv", "--scores", "score").out
    assert "no column 'grade'" in refused("evaluate", model, "graded.csv", "--scores", "grade", "--quiet")
    assert "must be numbers" in refused("evaluate", model, "graded.csv", "--scores", "b", "--quiet")
