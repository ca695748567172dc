"""Texts of files, folders and tables: what is read, what is counted, what is refused; and the prose of Python source."""

import gzip
import json
import os
from collections import Counter

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from infomax.data import text_stream
from infomax.data.prose_source import paragraphs, prose_of
from infomax.data.python_prose import python_prose
from infomax.data.text_stream import _cut, text_blocks
from infomax.data.texts import open_texts
from infomax.errors import InputError


def _read(path, **options):
    skipped = Counter()
    return [text for block in text_blocks(path, skipped=skipped, **options) for text in block], dict(skipped)


def test_lines_of_a_file_however_it_is_packed(tmp_path):
    content = "\ufefffirst line\r\n\n  second \nthird, café".encode()
    (tmp_path / "a.txt").write_bytes(content)
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(content))
    (tmp_path / "noname").write_bytes(content)
    (tmp_path / "latin.txt").write_bytes("café".encode("latin-1"))
    for name in ("a.txt", "a.txt.gz", "noname"):
        assert _read(tmp_path / name) == (["first line", "second", "third, café"], {})
    assert _read(tmp_path / "latin.txt", encoding="latin-1")[0] == ["café"]


def test_a_column_of_a_table(tmp_path):
    rows = [{"id": i, "text": text} for i, text in enumerate(["one", None, "", "two"])]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + "broken\n")
    (tmp_path / "t.csv").write_text("id,text\n0,one\n1,\n3,two\n")
    (tmp_path / "t.dat").write_text("only\none\ntwo\n")
    for name in ("t.parquet", "t.csv"):
        assert _read(tmp_path / name) == (["one", "two"], {})
    texts, skipped = _read(tmp_path / "t.jsonl")
    assert texts == ["one", "two"]
    assert sum(skipped.values()) == 1
    assert _read(tmp_path / "t.csv", column="id")[0] == ["0", "1", "3"]
    assert _read(tmp_path / "t.dat", delimiter=";")[0] == ["one", "two"]


def test_text_is_the_column_where_there_are_others(tmp_path):
    (tmp_path / "a.csv").write_text("content,text\nno,yes\n")
    assert list(text_blocks(tmp_path / "a.csv", skipped=Counter())) == [["yes"]]


def test_long_lines_are_cut_between_words_and_lose_none(tmp_path, monkeypatch):
    monkeypatch.setattr(text_stream, "BLOCK", 1000)
    words = [f"word{i}" for i in range(2000)]
    (tmp_path / "long.txt").write_text(" ".join(words) + "\nshort line\n" + "x" * 2500)
    (tmp_path / "long.jsonl").write_text(json.dumps({"text": " ".join(words)}))
    texts, skipped = _read(tmp_path / "long.txt")
    assert " ".join(texts[:-4]).split() == words
    assert texts[-4:] == ["short line", "x" * 1000, "x" * 1000, "x" * 500]
    assert max(map(len, texts)) <= 2000  # what was carried over and a block
    ((reason, count),) = skipped.items()
    assert reason.startswith("lines of more than")
    assert count == len(texts) - 3
    assert " ".join(_read(tmp_path / "long.jsonl")[0]).split() == words


def test_a_long_line_is_cut_at_a_blank_that_is_in_neither_piece():
    assert _cut("abc def ghi") == ("abc def", "ghi")


@pytest.mark.parametrize(
    ("name", "content", "options", "words"),
    [
        ("a.txt", None, {}, "No file"),
        ("a.txt", b"fine\ncaf\xe9\n", {}, r"not utf-8 \(byte 8, line 2\)"),
        ("a.txt", b"\xff\xfea\0b\0", {}, "is UTF-16"),
        ("a.bin", b"ELF\0\0\0", {}, "null bytes"),
        ("a.txt.gz", b"no archive", {}, "cannot be read"),
        (
            "a.csv",
            b"a,b\n1,2\n",
            {},
            "several columns, none of them named 'text'; it has 'a', 'b': name one by column=",
        ),
        ("a.csv", b"a,b\n1,2\n", {"column": "c"}, "no column 'c'"),
        ("a.parquet", b"a,b\n", {}, "not a Parquet file"),
        ("a.txt", b"a b\n", {"column": "text"}, "is no table, so column='text' means nothing"),
    ],
)
def test_files_that_give_no_texts(tmp_path, name, content, options, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words):
        _read(tmp_path / name, **options)


def _walk(texts):
    return [(part, text) for part, block in texts.blocks() for text in block]


def test_a_file_is_walked_in_stretches_of_neighbours(tmp_path):
    (tmp_path / "a.txt").write_text("".join(f"line {i}\n" for i in range(1234)))
    texts = open_texts(tmp_path / "a.txt")
    walked = _walk(texts)
    assert walked == _walk(texts)
    assert [text for _, text in walked] == [f"line {i}" for i in range(1234)]
    parts = np.array([part for part, _ in walked])
    assert (np.diff(parts) >= 0).all()
    assert np.bincount(parts).tolist() == texts.sizes.tolist()
    assert len(texts.sizes) == 95  # of 13 lines


def test_a_folder_of_many_files_is_walked_by_file(tmp_path):
    for i in range(25):
        (tmp_path / f"{i:02}").mkdir()
        (tmp_path / f"{i:02}" / "a.txt").write_text(f"file {i}\nmore of it\n")
    (tmp_path / "image.png").write_bytes(b"\x89PNG\0")
    (tmp_path / "empty.txt").touch()
    (tmp_path / "table.csv").write_text("a\n1\n")
    (tmp_path / ".hidden").write_text("no")
    texts = open_texts(tmp_path)
    assert _walk(texts)[2:4] == [(1, "file 1"), (1, "more of it")]
    assert len(texts.sizes) == 25
    assert dict(texts.skipped) == {"files that are empty, binary or tables": 3}
    before = texts.stamp
    (tmp_path / "00" / "a.txt").write_text("changed")
    assert open_texts(tmp_path).stamp != before


def test_many_files_are_parts_as_large_as_they_are(tmp_path):
    for i in range(20):
        (tmp_path / f"{i:02}.txt").write_text("a" * (i + 1))
    texts = open_texts(tmp_path)
    assert texts.sizes.tolist() == list(range(1, 21))
    assert open_texts(tmp_path, encoding="latin-1").stamp != texts.stamp


def test_the_stamp_of_texts_changes_with_the_file_and_with_how_it_is_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,other\na b,c d\n")
    os.utime(path, ns=(10**18, 10**18))
    stamp = open_texts(path).stamp
    assert open_texts(path).stamp == stamp != open_texts(path, column="other").stamp
    os.utime(path, ns=(10**18, 10**18 + 1000))  # a microsecond later
    assert open_texts(path).stamp != stamp


def test_sources_that_are_none(tmp_path):
    with pytest.raises(InputError, match="No file or folder"):
        open_texts(tmp_path / "none")
    with pytest.raises(InputError, match="holds no text"):
        open_texts(tmp_path)
    (tmp_path / "a.txt").write_text("a")
    with pytest.raises(InputError, match="Unknown encoding"):
        open_texts(tmp_path / "a.txt", encoding="klingon")


SOURCE = '''#!/usr/bin/env python
# -*- coding: utf-8 -*-
# Copyright (c) of some people who wrote this
# and who keep all rights.
"""What this module is good for.

And a second paragraph
over two lines.

>>> doctest(1)
"""
# x = compute(this, and_that)
# ------------------------------
TABLE = 1  # a trailing note about it
text = "# no comment at all here"

def f():
    """Give the answer to it all.

        code = f(1)

    ALL OF THIS IS SHOUTED LOUDLY
    """
    # too short

    #: Documented for a tool.

    # 12 + 34 = 46 is sums
'''


def test_the_prose_of_a_file(tmp_path):
    path = tmp_path / "a.py"
    path.write_text(SOURCE)
    assert prose_of(str(path)) == [
        "What this module is good for.",
        "And a second paragraph over two lines.",
        "Give the answer to it all.",
        "Copyright (c) of some people who wrote this and who keep all rights.",
        "a trailing note about it",
        "Documented for a tool.",
    ]
    path.write_text("def broken(:\n    # nobody can parse this file\n")
    assert prose_of(str(path)) == []
    assert paragraphs("too short\n\n| a | b | c | 1 | 2 |") == []


def test_a_tree_gives_each_paragraph_once_and_is_kept(tmp_path, monkeypatch):
    tree = tmp_path / "tree"
    tree.mkdir()
    licence = "# Permission is granted to anyone who asks for it, with all of the usual restrictions for everyone.\n"
    (tree / "a.py").write_text(licence + '"""Only the first file says this."""\n')
    (tree / "b.py").write_text(licence.replace("Permission", "PERMISSION") + '"""Only the second file says that."""\n')
    prose = python_prose(tree, cache=tmp_path / "cache")
    assert [(file, text[:22]) for file, text in zip(prose.files.tolist(), prose.texts, strict=True)] == [
        (0, "Only the first file sa"),
        (0, "Permission is granted "),
        (1, "Only the second file s"),
    ]
    monkeypatch.setattr("infomax.data.python_prose.prose_of", lambda _: pytest.fail("read again"))
    assert python_prose(tree, cache=tmp_path / "cache").texts[:] == prose.texts[:]
    monkeypatch.undo()
    (tree / "b.py").write_text('"""Now it says another thing."""\n')
    changed = python_prose(tree, cache=tmp_path / "cache")
    assert changed.stamp != prose.stamp
    told = changed.texts[:]
    assert told[2] == "Now it says another thing."
    (file,) = (tmp_path / "cache").iterdir()
    file.write_bytes(b"broken")
    assert python_prose(tree, cache=tmp_path / "cache").texts[:] == told


def test_without_a_place_for_a_cache_the_prose_is_there(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("INFOMAX_CACHE", str(tmp_path / "file" / "below"))
    (tmp_path / "a.py").write_text('"""Only one thing is said."""\n')
    assert python_prose(tmp_path / "a.py").texts[:] == ["Only one thing is said."]
