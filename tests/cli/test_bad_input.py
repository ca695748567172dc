"""Whatever comes in: a line that says what to do, or a count of what was left out; and nothing is lost."""

from __future__ import annotations

import gzip
import json
import os

import pytest


def table(rows, header="left,right"):
    return "\n".join([header, *(f"{a},{b}" for a, b in rows)]) + "\n"


@pytest.fixture
def skipped(infomax, fast):
    """Fit on a file; gives how many rows were left out, by reason."""

    def run(name: str, *options: str) -> dict[str, int]:
        outcome = infomax("fit", name, *fast, *options, "--json")
        assert outcome.code == 0, outcome.err
        read = json.loads(outcome.out)["read"]
        assert sum(read["skipped"].values()) == read["read"] - read["kept"]
        return read["skipped"]

    return run


REFUSED = {
    "no file": (None, [], "No file bad.csv: check the path"),
    "empty file": ("", [], "bad.csv is empty: give a file with a header and rows"),
    "header alone": ("left,right\n", [], "No pair in bad.csv"),
    "one pair": ("left,right\na b,c d\n", [], "at least two pairs"),
    "missing column": (
        "left,right\na,b\nc,d\n",
        ["--anchor", "query"],
        "no column 'query' (asked for as anchor); it has",
    ),
    "one column": ("left\na\nb\n", [], "needs two columns, an anchor and a candidate; it has 'left'"),
    "wrong delimiter": ("left;right\na;b\nc;d\n", [], "header holds semicolons: pass --delimiter ';'."),
    "tabs": ("left\tright\na\tb\n", [], "header holds tabs: pass --delimiter '\\t'."),
    "not UTF-8": (
        "left,right\ncafé,b\nc,d\n".encode("latin-1"),
        [],
        "(byte 14, line 2): pass its encoding, such as --encoding latin-1,",
    ),
    "unknown encoding": ("left,right\na,b\n", ["--encoding", "klingon"], "Unknown encoding 'klingon'"),
    "quote never closed": ('left,right\n"a,b\n' + "c,d\n" * 50, [], "a quote that is never closed"),
    "all pairs equal": (table([("a b c", "d e f")] * 50), [], "All 50 pairs of bad.csv have the same anchor"),
    "all cells empty": (table([("", "x"), ("y", " "), ("NaN", "z")]), [], "of 3 rows all were skipped"),
    "no words": (table([(f"{'.' * i}", f"{'!' * i}") for i in range(1, 80)]), [], "hold no words"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_pairs_that_cannot_be_learned_from(refused, elsewhere, fast, case):
    content, options, words = REFUSED[case]
    if content is not None:
        (elsewhere / "bad.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    line = refused("fit", "bad.csv", *options, *fast)
    assert words in line
    assert not (elsewhere / "runs" / "bad").exists()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("bad.xlsx", b"PK\x03\x04", "should end in .csv, .tsv, .jsonl or .parquet"),
        ("bad.parquet", b"left,right\na,b\n", "is not a Parquet file"),
        ("bad.jsonl", b'[{"a": 1, "b": 2}]', "is one JSON array"),
        ("bad.csv.gz", b"no archive at all", "cannot be read"),
    ],
)
def test_files_that_are_not_what_they_are_called(refused, elsewhere, fast, name, content, words):
    (elsewhere / name).write_bytes(content)
    assert words in refused("fit", name, *fast)


def test_a_file_without_permission(refused, elsewhere, fast, some_rows):
    (elsewhere / "locked.csv").write_text(table(some_rows(50)))
    (elsewhere / "locked.csv").chmod(0)
    if os.access("locked.csv", os.R_OK):
        pytest.skip("this user may read everything")
    assert "locked.csv cannot be read" in refused("fit", "locked.csv", *fast)


def test_ragged_empty_and_missing_cells_are_counted(skipped, elsewhere, some_rows):
    bad = ["one cell", "a,b,c", ",x", "NaN,x", "x, "]
    (elsewhere / "mixed.csv").write_text(table(some_rows(200)) + "\n".join(bad) + "\n")
    found = skipped("mixed.csv")
    assert found["rows with an empty cell"] == 3
    assert sum(count for reason, count in found.items() if "number of cells" in reason) == 2


def test_broken_json_lines_are_counted(skipped, elsewhere, some_rows):
    lines = [json.dumps({"left": a, "right": b}) for a, b in some_rows(200)]
    (elsewhere / "mixed.jsonl").write_text("\n".join([*lines, "{", '{"left": null, "right": "x"}']) + "\n")
    found = skipped("mixed.jsonl")
    assert sorted(found.values()) == [1, 1]


def test_cells_of_ten_megabytes_are_read(infomax, elsewhere, some_rows, fast):
    rows = some_rows(200)
    rows[150] = ("mega " * 2_000_000, rows[150][1])
    with gzip.open("large.csv.gz", "wt", compresslevel=1) as file:
        file.write(table(rows))
    outcome = infomax("fit", "large.csv.gz", *fast)
    assert outcome.code == 0, outcome.err
    assert (elsewhere / "runs" / "large" / "report.html").stat().st_size < 1_000_000


def test_repeated_pairs_are_never_each_others_negatives(infomax, elsewhere, some_rows, fast):
    (elsewhere / "twice.csv").write_text(table(some_rows(100) * 2))
    found = json.loads(infomax("fit", "twice.csv", *fast, "--json").out)
    assert found["evaluation"]["fitted"]["recall"]["10"] > 0.3


def test_a_full_disk_is_said_and_resumed(infomax, refused, pairs_file, elsewhere, fast, monkeypatch):
    sync, calls = os.fsync, []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 4:
            raise OSError(28, "No space left on device")
        sync(handle)

    monkeypatch.setattr("os.fsync", full)
    line = refused("fit", pairs_file, "--out", "run", *fast, code=1)
    assert "The disk is full" in line
    assert "free some space, then resume" in line
    assert not list((elsewhere / "run").rglob("*.tmp"))
    monkeypatch.undo()
    assert infomax("fit", pairs_file, "--out", elsewhere / "run", *fast, "--resume").code == 0


def test_a_report_that_cannot_be_written_leaves_the_run(infomax, refused, pairs_file, elsewhere, fast, monkeypatch):
    import infomax.cli.learning as learning
    from infomax.errors import InfomaxError

    def full(*_):
        raise InfomaxError("The disk is full: free some space, then resume.")

    monkeypatch.setattr(learning, "write_report", full)
    assert "The disk is full" in refused("fit", pairs_file, "--out", "run", *fast, code=1)
    monkeypatch.undo()
    assert infomax("search", elsewhere / "run", "ban").code == 0


@pytest.mark.parametrize("content", [b"", b"\x08\x00\x00\x00\x00\x00\x00\x00{}", b"PK\x03\x04 some pickle"])
def test_a_corrupt_checkpoint_is_named_and_kept(refused, pairs_file, elsewhere, fast, content):
    (elsewhere / "run").mkdir()
    checkpoint = elsewhere / "run" / "checkpoint.safetensors"
    checkpoint.write_bytes(content)
    line = refused("fit", pairs_file, "--out", "run", *fast, "--resume")
    assert "checkpoint" in line
    assert "it is left as it is" in line
    assert checkpoint.read_bytes() == content


def test_resume_and_overwrite_exclude_each_other(refused, finished, pairs_file, fast):
    line = refused("fit", pairs_file, "--out", finished.folder, *fast, "--resume", "--overwrite")
    assert line == "error: --resume goes on with the run in the folder, --overwrite throws it away; choose one of them."


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--validation", "0.6", "--test", "0.5"], "--validation 0.6 and --test 0.5 leave nothing to learn from"),
        (["--learning-rate", "-1"], "error: --learning-rate must be"),
        (["--temperature", "1e9"], "error: --temperature must be"),
        (["--device", "abacus"], "--device abacus cannot be used"),
        (["--encoder", "nowhere"], "--encoder brings its own --dim"),
    ],
)
def test_settings_that_cannot_be_right(refused, pairs_file, elsewhere, options, words):
    assert words in refused("fit", pairs_file, *options, "--dim", "8", "--quiet")
    assert not (elsewhere / "runs" / "pairs").exists()


@pytest.mark.parametrize(("debug", "traceback"), [("", False), ("1", True)])
def test_a_bug_says_that_it_is_one(infomax, monkeypatch, pairs_file, finished, debug, traceback):
    import infomax.cli.searching as searching

    def broken(*_):
        raise ZeroDivisionError("seven\nlines")

    monkeypatch.setattr(searching, "find", broken)
    monkeypatch.setenv("INFOMAX_DEBUG", debug)
    outcome = infomax("search", finished.folder, "ban")
    assert outcome.code == 1
    assert outcome.out == ""
    last = outcome.err.splitlines()[-1]
    assert last.startswith(
        "error: this is a bug in infomax (ZeroDivisionError: seven lines); run again with INFOMAX_DEBUG=1"
    )
    assert ("Traceback" in outcome.err) == traceback
    assert len(outcome.err.splitlines()) == 1 or traceback
