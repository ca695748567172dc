"""Bad input: one plain sentence with a remedy, or a counted skip."""

import gzip
import os
import subprocess
import sys
import textwrap

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infomax.data import read_pairs
from infomax.data import valid_rows as valid_rows_module
from infomax.errors import InfomaxError, InputError


def _gzipped(content):
    """Without the time in its header: the bytes name a test, and all workers must collect the same names."""
    return gzip.compress(content, 1, mtime=0)


def _refused(path, content, match, **options):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=match) as caught:
        read_pairs(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"No file .*absent\.csv: check the path"):
        read_pairs(tmp_path / "absent.csv")


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("x.csv", "", "is empty: give a file"),
        ("x.csv.gz", _gzipped(b""), "is empty: give a file"),
        ("x.csv", "\n\n", "is empty: give a file"),
        ("x.csv", "anchor,candidate\n", "No pair in .*: it holds no rows"),
        ("x.jsonl", "\n", "No pair in .*: it holds no rows"),
        ("x.csv", "anchor,candidate\n,x\ny,\nz\n", r"of 3 rows all were skipped \(.*2 rows with an empty cell"),
        ("x.jsonl", "{broken\n", r"of 1 rows all were skipped \(1 lines that are not a JSON object"),
        ("x.csv", "one\na\nb\n", "needs two columns, an anchor and a candidate; it has 'one'"),
        ("x.csv", "anchor;candidate\na;b\n", "header holds semicolons: pass delimiter=';'"),
        ("x.csv", "anchor\tcandidate\na\tb\n", "split at commas, but its header holds tabs: pass delimiter='.t'"),
        ("x.tsv", "anchor,candidate\na,b\n", "split at tabs, but its header holds commas"),
        ("x.csv", "a,a\nx,y\n", "more than one column named 'a'"),
        ("x.txt", "a,b\nx,y\n", "should end in .csv, .tsv, .jsonl or .parquet"),
        ("x.parquet", "a,b\nx,y\n", "is not a Parquet file"),
        ("x.csv.gz", _gzipped(b"a,b\n" + np.random.default_rng(0).bytes(9999))[:-500], "cannot be read|is not utf-8"),
        ("x.csv.gz", b"not gzip at all", "cannot be read"),
        ("x.csv", 'a,b\nx,y\n"open,1\n2,3\n4,5\n', "a quote that is never closed"),
        ("x.jsonl", '[{"a": "x", "b": "y"}]\n', "is one JSON array: write one object a line"),
        ("x.jsonl", '{"a": ["x"], "b": "y"}\n', r"Column 'a' of .* is nested \(line 1\)"),
    ],
)
def test_files_that_cannot_give_pairs(tmp_path, name, content, match):
    _refused(tmp_path / name, content, match)


def test_a_missing_column_names_those_there_are(tmp_path):
    message = _refused(tmp_path / "x.csv", "left,right\na,b\n", "no column 'query'", anchor="query")
    assert "'left', 'right'" in message
    message = _refused(tmp_path / "x.jsonl", '{"left": "a", "right": "b"}\n', "no column 'file'", group="file")
    assert "'left', 'right'" in message


def test_a_missing_column_among_very_many(tmp_path):
    header = ",".join(f"c{i}" for i in range(30))
    message = _refused(tmp_path / "x.csv", f"{header}\n{header}\n", "no column 'q'", anchor="q")
    assert message.endswith("'c19' and 10 more.")


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_text_that_is_not_utf_8_is_located(tmp_path, kind):
    good = b"a,b\nx,y\n" if kind == "csv" else b'{"a": "x", "b": "y"}\n' * 2
    bad = b"caf\xe9,y\n" if kind == "csv" else b'{"a": "caf\xe9", "b": "y"}\n'
    offset = len(good) + bad.index(b"\xe9")
    match = rf"not utf-8 \(byte {offset}, line 3\): pass its encoding, such as encoding='latin-1'"
    _refused(tmp_path / f"x.{kind}", good + bad, match)


def test_the_bad_byte_is_found_far_into_a_compressed_file(tmp_path):
    lines = "é,ü\n".encode() * 400_000  # two-byte characters, cut in two by the block limits
    _refused(tmp_path / "x.csv.gz", _gzipped(b"a,b\n" + lines + b"\xff,x\n"), r"byte 2,400,004, line 400,002\)")


def test_utf_16_is_recognised(tmp_path):
    _refused(tmp_path / "x.csv", "a,b\nx,é\n".encode("utf-16"), "is UTF-16, not utf-8: pass encoding='utf-16'")


def test_unknown_encoding(tmp_path):
    _refused(tmp_path / "x.csv", "a,b\nx,y\n", "Unknown encoding 'latin-nonsense'", encoding="latin-nonsense")


def test_a_delimiter_of_two_characters(tmp_path):
    _refused(tmp_path / "x.csv", "a||b\nx||y\n", "A delimiter is one character", delimiter="||")


def test_nested_parquet_columns(tmp_path):
    pq.write_table(pa.table({"a": [["x"], ["y"]], "b": ["1", "2"]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"Column 'a' of .* \(the anchor\) holds list<.*: give a column of text"):
        read_pairs(tmp_path / "x.parquet")


def test_parquet_bytes_that_are_no_text(tmp_path):
    pq.write_table(pa.table({"a": [b"\xff\xfe", b"x"], "b": ["1", "2"]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"Column 'a' of .* cannot be text"):
        read_pairs(tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("a,b\n" + "x,y\n" * 5, "All 5 pairs .* have the same anchor and the same candidate"),
        ("a,b\nx,1\nx,2\nx,3\n", "All 3 pairs .* have the same anchor,"),
        ("a,b\n1,y\n2,y\n", "All 2 pairs .* have the same candidate,"),
        ("a,b\n1,x\n1,y\n2,y\n", "All 3 pairs .* are linked by shared anchors or candidates"),
    ],
)
def test_pairs_without_a_negative_are_refused(tmp_path, content, match):
    _refused(tmp_path / "x.csv", content, match)


def test_one_pair_can_be_read(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\nx,y\n")
    assert len(read_pairs(tmp_path / "x.csv")) == 1


def test_skipped_rows_are_counted_by_reason(tmp_path):
    rows = ["one,1", "two", "three,3,3", ",4", "  ,5", "NaN,6", '"NaN",7', "eight,null", '"",9', "ten,10", " \u3000,11"]
    (tmp_path / "x.csv").write_text("a,b\n" + "\n".join(rows) + "\n", encoding="utf-8")
    pairs = read_pairs(tmp_path / "x.csv")
    assert pairs.anchors[:] == ["one", "NaN", "ten"]  # a quoted "NaN" is a word
    assert pairs.report.read == len(rows)
    assert pairs.report.kept == 3
    ragged = "rows whose number of cells differs from the header's"
    assert pairs.report.skipped == {ragged: 2, "rows with an empty cell": 6}


def test_broken_lines_are_counted_and_the_first_is_named(tmp_path):
    lines = [
        '{"a": "x", "b": "1"}',
        "",
        '{"a": "y", "b"',
        "[1, 2]",
        '{"a": "z", "b": "3"}',
        '{"a": NaN, "b": "4"}',
        '{"a": "5"}',
    ]
    (tmp_path / "x.jsonl").write_text("\n".join(lines))
    pairs = read_pairs(tmp_path / "x.jsonl")
    assert pairs.anchors[:] == ["x", "z"]
    broken = "lines that are not a JSON object, the first at line 3"
    assert pairs.report.skipped == {broken: 2, "rows with an empty cell": 2}
    assert pairs.report.read == 6


def test_lone_surrogates_become_question_marks(tmp_path):
    (tmp_path / "x.jsonl").write_text('{"a": "bad \\ud800 half", "b": "1"}\n{"a": "fine \\ud83c\\udf89", "b": "2"}\n')
    assert read_pairs(tmp_path / "x.jsonl").anchors[:] == ["bad ? half", "fine 🎉"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_cells_of_ten_megabytes(tmp_path, kind):
    path, big = tmp_path / f"x.{kind}", "word " * 2_000_000
    # the first block is full of rows, so that the reader has given some before it meets the long one
    rows = [(f"q{i}", "c" * 500 + str(i)) for i in range(5000)] + [("ragged", "")] + [("big", big), ("q", "last")]
    if kind == "parquet":
        pq.write_table(pa.table({"a": [a for a, _ in rows], "b": [b for _, b in rows]}), path)
    elif kind == "csv":
        path.write_text("a,b\nshort\n" + "".join(f"{a},{b}\n" for a, b in rows))
    else:
        path.write_text("".join(f'{{"a": "{a}", "b": "{b}"}}\n' for a, b in rows))
    pairs = read_pairs(path)
    assert len(pairs) == 5002
    assert pairs.anchors[np.array([0, 4999, 5000, 5001])] == ["q0", "q4999", "big", "q"]
    assert pairs.candidates[5000] == big
    assert sum(pairs.report.skipped.values()) == (2 if kind == "csv" else 1)


def test_cells_above_the_limit_are_counted(monkeypatch):
    monkeypatch.setattr(valid_rows_module, "MAX_CELL_BYTES", 2 << 20)
    long = "x" * (3 << 20)
    pairs = read_pairs([("a", "1"), ("b", long), (long, "3"), ("", long), ("d", "4")])
    assert pairs.anchors[:] == ["a", "d"]
    assert pairs.report.skipped == {"rows with an empty cell": 1, "rows with a cell of more than 2 MiB": 2}


def test_a_row_larger_than_every_block(tmp_path, monkeypatch):
    monkeypatch.setattr("infomax.data.delimited._BLOCKS", (1 << 16, 1 << 17))
    rows = "".join(f"q{i},c{i}\n" for i in range(20_000))
    message = _refused(
        tmp_path / "x.csv", "a,b\n" + rows + '"' + "x\n" * 200_000, "probably a quote that is never closed"
    )
    assert "after row " in message


def test_a_cache_that_is_no_folder(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\nx,y\nz,w\n")
    (tmp_path / "file").write_text("")
    with pytest.raises(InfomaxError, match=r"Could not write the pairs to .*: free some space there, or name"):
        read_pairs(tmp_path / "x.csv", cache=tmp_path / "file")


@pytest.mark.skipif(sys.platform == "win32", reason="needs resource limits")
def test_no_disk_space(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n" + "".join(f"{i},{'y' * 1000}{i}\n" for i in range(3000)))
    code = f"""
        import resource
        from pathlib import Path
        from infomax.data import read_pairs
        from infomax.errors import InfomaxError, InputError
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
        try:
            read_pairs({str(tmp_path / "x.csv")!r}, cache={str(tmp_path / "cache")!r})
        except InfomaxError as error:
            print(not isinstance(error, InputError), error, list(Path({str(tmp_path / "cache")!r}).iterdir()))
    """
    ran = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("True Could not write the pairs to ")
    assert ran.stdout.endswith(" []\n")  # nothing half-written is left


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\nx,y\n")
    path.chmod(0)
    with pytest.raises(InputError, match=r"cannot be read .*check its permissions"):
        read_pairs(path)
