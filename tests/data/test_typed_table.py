"""Tables of any columns: what their cells are, what is missing, what cannot be read."""

from __future__ import annotations

import datetime
import decimal
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from watched import watched

from infomax.data.cell_types import cleaned, from_text, wider
from infomax.data.column_profile import profile_columns
from infomax.data.typed_table import read_table
from infomax.errors import InputError


def column(cells, batches=1):
    """The cells of one text column, read in so many batches, as a typed list."""
    kind = None
    parts = [cleaned(pa.array(list(part), pa.string())) for part in np.array_split(np.array(cells, object), batches)]
    for part in parts:
        kind = wider(kind, part)
    return pa.chunked_array([from_text(part, kind) for part in parts])


@pytest.mark.parametrize("batches", [1, 2, 4])
@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        (["1", "2", "NA", "-3"], pa.int64(), [1, 2, None, -3]),
        (["1", "2", "2.5", "1e3"], pa.float64(), [1, 2, 2.5, 1000]),
        (["1", " 2 ", "", "?"], pa.int64(), [1, 2, None, None]),
        (["1", "2", "2.5", "x"], pa.string(), ["1", "2", "2.5", "x"]),
        (["true", "FALSE", "NULL", "True"], pa.bool_(), [True, False, None, True]),
        (["true", "false", "1", "x"], pa.string(), ["true", "false", "1", "x"]),
        (
            ["2024-01-05", "2024-01-05 10:00:00", "null", "2024-02-01"],
            pa.timestamp("us"),
            [datetime.datetime(2024, 1, 5), datetime.datetime(2024, 1, 5, 10), None, datetime.datetime(2024, 2, 1)],
        ),
        (
            ["2024-01-05 10:00:00.123456789", "2024-01-05T10:00:01", "null", "2024-01-05 10:00:00.123"],
            pa.timestamp("us"),
            [datetime.datetime(2024, 1, 5, 10, 0, s, us) for s, us in ((0, 123456), (1, 0))]
            + [None, datetime.datetime(2024, 1, 5, 10, 0, 0, 123000)],
        ),
        (["", "NA", "nan", "None"], pa.float64(), [None] * 4),
        (["99999999999999999999", "1", "2", "3"], pa.float64(), [1e20, 1, 2, 3]),
        (["none", "mild", "severe", "NULL"], pa.string(), ["none", "mild", "severe", None]),
    ],
)
def test_a_column_of_text_is_of_the_first_type_that_reads_every_cell(cells, kind, values, batches):
    found = column(cells, batches)
    assert found.type == kind
    assert found.to_pylist() == values


def test_csv_tsv_jsonl_parquet_and_gzip_give_the_same_table(tmp_path):
    rows = [{"n": 1, "x": 0.5, "w": "a,b", "b": True}, {"n": None, "x": -1.25, "w": "c", "b": False}]
    frame = pd.DataFrame(rows).astype({"n": "Int64"})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_csv(tmp_path / "t.tsv", index=False, sep="\t")
    frame.to_csv(tmp_path / "t.csv.gz", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with gzip.open(tmp_path / "u.jsonl.gz", "wt") as file:
        file.write("\n".join(map(json.dumps, rows)))
    schema = pa.schema({"n": pa.int64(), "x": pa.float64(), "w": pa.string(), "b": pa.bool_()})
    for path in sorted(tmp_path.iterdir()):
        table = read_table(path).columns
        assert table.schema == schema, path
        assert table.to_pylist() == rows, path
    for in_memory in (frame, pl.DataFrame(rows), pa.Table.from_pylist(rows)):
        assert read_table(in_memory).columns.to_pylist() == rows


def test_typed_columns_of_every_kind(tmp_path):
    table = pa.table(
        {
            "small": pa.array([1, None], pa.int8()),
            "money": [decimal.Decimal("1.5"), None],
            "day": [datetime.date(2020, 1, 1), None],
            "clock": [datetime.time(0, 0, 1), None],
            "level": pa.array(["a", "b"]).dictionary_encode(),
            "huge": pa.array([2**64 - 1, 0], pa.uint64()),
            "nothing": pa.nulls(2),
            "list": [[1], [2]],
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    found = read_table(tmp_path / "t.parquet")
    assert found.left_out == {"list": "it holds list<element: int64>"}
    assert found.columns.to_pylist() == [
        {
            "small": 1,
            "money": 1.5,
            "day": datetime.datetime(2020, 1, 1),
            "clock": 1_000_000,
            "level": "a",
            "huge": 2.0**64,
            "nothing": None,
        },
        {"small": None, "money": None, "day": None, "clock": None, "level": "b", "huge": 0, "nothing": None},
    ]


def test_cells_of_a_table_as_programs_write_them(tmp_path):
    (tmp_path / "t.csv").write_text(
        "n,time,utc,s\n"
        "1.5,2020-01-01 00:00:00.12345678,2020-01-01T00:00:00Z, 1 \n"
        "-nan,2020-01-01 00:00:01.5,2020-01-01T00:00:01Z, NA \n"
    )
    table = read_table(tmp_path / "t.csv", columns=["s", "n", "time", "utc"])
    assert table.names == ("s", "n", "time", "utc")
    types = [str(field.type) for field in table.columns.schema]
    assert types == ["int64", "double", "timestamp[us]", "timestamp[us]"]


def test_times_of_day_of_a_typed_table_are_whole_numbers():
    times = pa.table({"t": pa.array([datetime.time(0, 0, second) for second in range(3)], pa.time32("s"))})
    assert read_table(times).columns.column("t").to_pylist() == [0, 1, 2]


def test_only_the_columns_asked_for_are_read(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    assert read_table(tmp_path / "t.csv", columns=["c", "a", "c"]).columns.to_pydict() == {"c": [3, 6], "a": [1, 4]}
    assert read_table(tmp_path / "t.csv", columns=lambda names: names[1:2]).names == ("b",)


def test_rows_that_cannot_be_read_are_counted(tmp_path):
    (tmp_path / "t.csv").write_text(" ,a \n1,2\n3\n4,5,6\n7,8\n")
    found = read_table(tmp_path / "t.csv")
    assert found.names == ("column 1", "a")
    assert len(found) == 2
    assert list(found.skipped.values()) == [2]
    (tmp_path / "t.jsonl").write_text('{"a": 1}\n{\n{"b": "x", "a": 2, "c": {}}\n')
    found = read_table(tmp_path / "t.jsonl")
    assert found.columns.to_pylist() == [{"a": 1, "b": None}, {"a": 2, "b": "x"}]
    assert list(found.skipped.values()) == [1]
    assert found.left_out == {"c": "it holds objects"}


def test_lines_that_no_parser_takes_are_counted_and_late_keys_are_columns(tmp_path):
    rows = [json.dumps({"a": i} | ({"late": i} if i > 1000 else {})) for i in range(1010)]
    (tmp_path / "t.jsonl").write_text("\n".join([*rows, "[" * 100_000, '{"a": ' + "1" * 5000 + "}"]))
    found = read_table(tmp_path / "t.jsonl")
    assert found.columns["late"].to_pylist()[-1] == 1009
    assert found.columns["late"].null_count == 1001
    assert found.skipped == {"lines that are not a JSON object, the first at line 1011": 2}


def test_the_index_of_a_data_frame_is_no_column(tmp_path):
    frame = pd.DataFrame({"a": [1.0, 2.0, 3.0]}, index=[7, 5, 6])
    frame.to_parquet(tmp_path / "t.parquet")
    for source in (frame, tmp_path / "t.parquet"):
        assert read_table(source).names == ("a",)
        assert read_table(source).left_out == {}
    named = frame.rename_axis("day")
    with pytest.raises(InputError, match=r"no column 'day' that can be used \(it is the index .*reset_index"):
        read_table(named, columns=["day"])
    assert read_table(named.reset_index()).names == ("day", "a")


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["u", "v"])])
def test_categories_of_polars_are_words(kind):
    found = read_table(pl.DataFrame({"c": pl.Series(["u", "v", None]).cast(kind)}))
    assert found.columns["c"].to_pylist() == ["u", "v", None]


@pytest.mark.parametrize(
    ("name", "content", "columns", "words"),
    [
        ("t.csv", None, None, "No file"),
        ("t.csv", "", None, "is empty"),
        ("t.csv", "a,b\n", None, "holds no row"),
        ("t.csv", "a,b,a\n1,2,3\n", None, "column names more than once ('a')"),
        ("t.csv", "a, a,b\n1,2,3\n", None, "column names more than once ('a')"),
        ("t.csv", "a,b\n1,2\n", ["c"], "has no column 'c'; it has 'a', 'b'"),
        ("t.csv", "a;b\n1;2\n", None, "pass delimiter=';'"),
        ("t.jsonl", '{"a": [1]}\n{"a": [2], "b": 1}\n', ["a"], "no column 'a' that can be used (it holds lists)"),
        ("t.parquet", "a,b\n1,2\n", None, "is not a Parquet file"),
        ("t.xlsx", "a,b\n1,2\n", None, "should end in .csv"),
        ("t.csv.gz", "a,b\n1,2\n", None, "cannot be read"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path, name, content, columns, words):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InputError) as caught:
        read_table(tmp_path / name, columns=columns)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "source",
    [
        *(3, pd.DataFrame({"a": [1, "x"]}), pd.DataFrame({"a": []})),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pa.table([[1], [2]], names=["a", "a"]),
        pa.table([[1], [2]], names=["a", " a"]),
    ],
)
def test_what_is_no_table_in_memory_is_refused(source):
    with pytest.raises(InputError):
        read_table(source)


def profiles(table, **options):
    return profile_columns(read_table(pd.DataFrame(table)), **options)


def test_profiles_say_what_a_column_is_taken_for():
    rng = np.random.default_rng(0)
    found = profiles(
        {
            "few": np.arange(100) % 10,
            "many": np.arange(100) % 11,
            "padded": np.where(np.arange(100) == 3, np.nan, np.arange(100) % 9),
            "number": rng.normal(size=100),
            "word": ["x", "y"] * 50,
            "name": [f"row {i}" for i in range(100)],
            "same": ["a"] * 100,
            "gone": [np.nan] * 100,
            "row": np.arange(7, 107),
        }
    )
    assert {name for name, profile in found.items() if profile.discrete} == {"few", "padded", "word", "name", "same"}
    assert {name: p.no_use.split(":")[0] for name, p in found.items() if p.no_use} == {
        "name": "words with 100 levels in 100 rows",
        "same": "constant",
        "gone": "no value",
        "row": "a count of the rows, which tells how the table is sorted",
    }
    assert (found["padded"].holds, found["padded"].levels, found["padded"].missing) == ("whole numbers", 9, 1)
    assert found["word"].range == "x, y"
    assert found["few"].range == "0 to 9"


def test_times_that_python_cannot_hold_are_times_all_the_same():
    days = np.array(["2020-01-01", "30000-01-01"], dtype="datetime64[s]")
    assert profiles({"day": days})["day"].range == "2020-01-01 00:00:00 to a time beyond the year 9999"


def test_profiles_of_columns_at_their_limits():
    nan = float("nan")
    table = pa.table(
        {
            "beyond": [2.0**54 + 2.0**40 * i for i in range(10)],  # beyond 2^53 floats skip whole numbers
            "gaps": pa.array([1, 2, None, 4, 5, None, 7, 8, 9, 10]),
            "rising": [1, 2, 4, 5, 7, 8, 10, 11, 13, 14],
            "empty": pa.array([None] * 10, pa.int64()),
            "often": ["z", *["y"] * 9],
            "names": ["a", "a", "a", "b", "b", "c", "d", "e", "f", "g"],
            "nan": [1.5, nan, 2.5, 1.5, nan, 2.5, 1.5, 3.5, 2.5, 4.5],
        }
    )
    found = profile_columns(read_table(table))
    assert found["beyond"].holds == "numbers"
    assert found["gaps"].no_use is found["rising"].no_use is None
    assert found["empty"].no_use == "no value"
    assert found["often"].range == "y, z"
    assert found["names"].no_use.startswith("words with 7 levels in 10 rows")
    assert (found["nan"].missing, found["nan"].levels) == (2, 4)


def test_kinds_can_be_asked_for_and_contradictions_are_refused():
    table = {"n": [1, 2, 3, 4] * 10, "x": np.linspace(0, 1, 40), "w": list("abcd") * 10}
    found = profiles(table, discrete=["x"], continuous=["n"])
    assert (found["x"].taken_as, found["n"].taken_as, found["w"].taken_as) == (
        "discrete (asked)",
        "continuous (asked)",
        "discrete",
    )
    for options, words in (
        ({"continuous": ["w"]}, "holds words"),
        ({"discrete": ["n"], "continuous": ["n"]}, "both"),
        ({"discrete": ["q"]}, "no column 'q'"),
    ):
        with pytest.raises(InputError, match=words):
            profiles(table, **options)


CODE = watched(
    "import sys, pyarrow.csv, pyarrow.parquet\nfrom infomax.data.typed_table import read_table",
    "table = read_table(sys.argv[1])",
    "len(table), table.columns.nbytes / 2**20, held",
)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads the memory of a process from /proc")
def test_a_large_table_is_mapped_and_not_loaded(tmp_path):
    block = "\n".join(",".join(f"{i * j % 9973}.{j}" for j in range(1, 21)) for i in range(20_000)) + "\n"
    found = []
    for blocks in (5, 25):
        path = tmp_path / "large.csv"
        with path.open("w") as file:
            file.write(",".join(f"c{j}" for j in range(20)) + "\n")
            for _ in range(blocks):
                file.write(block)
        command = [sys.executable, "-c", CODE, str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=True)
        path.unlink()  # pytest keeps the folders of three runs
        found.append([float(number) for number in ran.stdout.split()])
    (few, small, least), (many, large, most) = found
    assert (few, many) == (100_000, 500_000)
    assert large - small > 60  # megabytes of table, and more of text
    assert most - least < 30
