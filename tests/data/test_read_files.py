"""Files of every kind give the same pairs, with the right columns, ids, groups and labels."""

import gzip
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infomax.data import Pairs, read_pairs

ROWS = [
    ("how to sort", "sorted(x)"),
    ('say "hi"\nagain', "print('hi')"),
    ("größer, 日本 🎉", "max(x)"),
    ("tab\there", "a;b"),
]


def _csv(rows, delimiter=",", header=("anchor", "candidate")):
    def cell(text):
        return '"' + text.replace('"', '""') + '"'

    return "".join(delimiter.join(map(cell, row)) + "\n" for row in [header, *rows])


def _texts(pairs):
    rows = np.arange(len(pairs))
    return list(zip(pairs.anchors[rows], pairs.candidates[rows], strict=True))


def _write(folder, kind):
    path = folder / f"pairs.{kind}"
    jsonl = "".join(json.dumps({"anchor": a, "candidate": b}) + "\n" for a, b in ROWS)
    content = {
        "csv": _csv(ROWS).encode(),
        "csv.gz": gzip.compress(_csv(ROWS).encode()),
        "tsv": _csv(ROWS, "\t").encode(),
        "jsonl": jsonl.encode(),
        "jsonl.gz": gzip.compress(jsonl.encode()),
    }
    if kind == "parquet":
        pq.write_table(pa.table({"anchor": [a for a, _ in ROWS], "candidate": [b for _, b in ROWS]}), path)
    else:
        path.write_bytes(content[kind])
    return path


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "tsv", "jsonl", "jsonl.gz", "parquet"])
def test_every_kind_of_file_gives_the_same_pairs(tmp_path, kind):
    pairs = read_pairs(_write(tmp_path, kind))
    assert _texts(pairs) == ROWS
    assert (pairs.report.read, pairs.report.kept, pairs.report.skipped) == (4, 4, {})
    assert pairs.labels is None
    assert pairs.ids.dtype == pairs.groups.dtype == np.int64


def test_pairs_are_given_back_as_they_are(tmp_path):
    pairs = read_pairs(_write(tmp_path, "csv"))
    assert isinstance(pairs, Pairs)
    assert read_pairs(pairs) is pairs


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_encodings_and_byte_order_marks(tmp_path, encoding, kind):
    path = tmp_path / f"x.{kind}"
    text = _csv(ROWS) if kind == "csv" else _write(tmp_path, "jsonl").read_text(encoding="utf-8")
    path.write_bytes(text.encode(encoding))
    asked = None if encoding == "utf-8-sig" else encoding
    assert _texts(read_pairs(path, encoding=asked)) == ROWS


def test_latin_1(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes("a,b\ngrößer,max\nkleiner,min\n".encode("latin-1"))
    assert _texts(read_pairs(path, encoding="latin-1"))[0] == ("größer", "max")


def test_windows_line_ends(tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(b"a,b\r\none,two\r\nthree,four\r\n")
    assert _texts(read_pairs(path)) == [("one", "two"), ("three", "four")]


def test_another_delimiter(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a;b\none;two\nthree;four\n")
    assert _texts(read_pairs(path, delimiter=";")) == [("one", "two"), ("three", "four")]


@pytest.mark.parametrize(
    ("header", "asked", "expected"),
    [
        ("a,b,c", {}, ("a", "b")),
        (",a,b", {}, ("a", "b")),  # the index column of a data frame has no name
        ("id,query,positive", {}, ("query", "positive")),
        ("candidate,x,anchor", {}, ("anchor", "candidate")),
        ("a,b,c", {"anchor": "c"}, ("c", "a")),
        ("a,b,c", {"candidate": "a"}, ("b", "a")),
        ("a,b,c", {"group": "a"}, ("b", "c")),
        ("a,b,c", {"anchor": "c", "candidate": "b"}, ("c", "b")),
        ("query,positive,other", {"candidate": "other"}, ("query", "other")),
    ],
)
def test_which_columns_are_read(tmp_path, header, asked, expected):
    path = tmp_path / "x.csv"
    names = header.split(",")
    path.write_text(header + "\n" + "".join(",".join(f"{name}{row}" for name in names) + "\n" for row in range(3)))
    pairs = read_pairs(path, **asked)
    assert _texts(pairs) == [(f"{expected[0]}{row}", f"{expected[1]}{row}") for row in range(3)]


def test_groups_labels_and_ids(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b,file,name\nq1,c1,f,one\nq1,c2,g,\nq2,c2,f,three\nq3,c3,,four\nq4,c4,,five\n")
    pairs = read_pairs(path, group="file", label="name")
    assert pairs.ids[0] == pairs.ids[1] == pairs.ids[2]  # q1 links rows 0 and 1, c2 links rows 1 and 2
    assert len(set(pairs.ids[2:].tolist())) == 3
    assert pairs.groups[0] == pairs.groups[2]
    assert len(set(pairs.groups.tolist())) == 4  # f, g and two rows without a group
    assert list(pairs.labels) == ["one", "c2", "three", "four", "five"]
    assert pairs.labels[3] == "four"


def test_each_row_is_its_own_group_by_default(tmp_path):
    assert len(set(read_pairs(_write(tmp_path, "csv")).groups.tolist())) == 4


def test_numbers_become_text(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": [1, 2, None], "b": [0.5, 1.5, 2.5]}), path)
    pairs = read_pairs(path)
    assert _texts(pairs) == [("1", "0.5"), ("2", "1.5")]
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1, "b": true}\n{"a": 2, "b": "x"}\n')
    assert _texts(read_pairs(path)) == [("1", "True"), ("2", "x")]


def test_dictionary_columns_are_text(tmp_path):
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": pa.array(["x", "y", "x"]).dictionary_encode(), "b": ["1", "2", "3"]}), path)
    assert _texts(read_pairs(path)) == [("x", "1"), ("y", "2"), ("x", "3")]


def test_a_cache_folder_is_used_again_until_the_file_changes(tmp_path, monkeypatch):
    path, cache = _write(tmp_path, "csv"), tmp_path / "cache"
    path.write_text(path.read_text(encoding="utf-8") + "ragged\n", encoding="utf-8")
    first = read_pairs(path, cache=cache)
    written = {file.name: file.stat().st_mtime_ns for file in cache.iterdir()}
    second = read_pairs(path, cache=cache)
    assert {file.name: file.stat().st_mtime_ns for file in cache.iterdir()} == written
    assert _texts(second) == _texts(first) == ROWS
    assert second.report == first.report
    path.write_text("a,b\nnew,rows\nother,ones\n")
    assert _texts(read_pairs(path, cache=cache)) == [("new", "rows"), ("other", "ones")]


@pytest.mark.parametrize("damage", [b"", b"garbage" * 100, None])
def test_a_damaged_cache_is_read_anew(tmp_path, damage):
    path, cache = _write(tmp_path, "csv"), tmp_path / "cache"
    read_pairs(path, cache=cache)
    (arrow,) = cache.glob("*.arrow")
    arrow.write_bytes(arrow.read_bytes()[:-200] if damage is None else damage)
    assert _texts(read_pairs(path, cache=cache)) == ROWS


def test_the_temporary_file_lives_as_long_as_the_pairs(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    pairs = read_pairs(_write(tmp_path, "csv"))
    candidates = pairs.candidates
    assert list((tmp_path / "tmp").iterdir())
    del pairs
    assert candidates[0] == "sorted(x)"
    assert list((tmp_path / "tmp").iterdir())
    del candidates
    assert not list((tmp_path / "tmp").iterdir())


def test_a_folder_of_python_source_goes_to_the_harvest(tmp_path):
    (tmp_path / "m.py").write_text('def f(x):\n    """Double the given number."""\n    return 2 * x\n')
    pairs = read_pairs(tmp_path, cache=tmp_path / "cache")
    assert list(pairs.labels) == ["m.f  (m.py:1)"]
    assert list(read_pairs(tmp_path / "m.py", cache=tmp_path / "cache").labels) == ["m.f  (m.py:1)"]


def test_the_word_python_means_the_environment(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "infomax.data.read.python_pairs", lambda **options: asked.append(options) or read_pairs([("a", "b")])
    )
    read_pairs("python")
    assert asked == [{"cache": None}]


@pytest.mark.parametrize("kind", ["parquet", "table"])
def test_a_cell_without_a_number_is_empty_and_not_the_word_nan(tmp_path, kind):
    table = pa.table({"anchor": ["a b", "c d", "e f", "g h"], "candidate": [0.5, float("nan"), None, 4.5]})
    pq.write_table(table, tmp_path / "t.parquet")
    pairs = read_pairs(table if kind == "table" else tmp_path / "t.parquet")
    assert _texts(pairs) == [("a b", "0.5"), ("g h", "4.5")]
    assert pairs.report.skipped == {"rows with an empty cell": 2}
