"""A file of any size passes through memory in pieces: what a process itself holds stays bounded."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from watched import watched

ROWS = 60_000
CODE = watched(
    "import sys\nimport numpy as np\nimport pyarrow.csv, pyarrow.parquet\nfrom infomax.data import read_pairs",
    """
    pairs = read_pairs(sys.argv[1])
    for start in range(0, len(pairs), 1000):
        pairs.candidates[np.arange(start, min(start + 1000, len(pairs)))]
    """,
    "len(pairs), held",
)


def _write(path, kind):
    """About 250 MB of text (a few MB in Parquet, which compresses the repetition)."""
    tail = "word " * 800
    if kind == "csv":
        with path.open("w") as file:
            file.write("a,b\n")
            file.writelines(f"question {i},{i} {tail}\n" for i in range(ROWS))
    elif kind == "jsonl":
        with path.open("w") as file:
            file.writelines(json.dumps({"a": f"question {i}", "b": f"{i} {tail}"}) + "\n" for i in range(ROWS))
    else:
        schema = pa.schema({"a": pa.string(), "b": pa.string()})
        with pq.ParquetWriter(path, schema) as writer:
            for start in range(0, ROWS, 1000):
                rows = range(start, start + 1000)
                writer.write(pa.table({"a": [f"question {i}" for i in rows], "b": [f"{i} {tail}" for i in rows]}))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="reads the memory of a process from /proc")
@pytest.mark.parametrize(
    "kind", ["csv", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("jsonl", "parquet"))]
)
def test_a_large_file_is_not_loaded(tmp_path, kind):
    path = tmp_path / f"large.{kind}"
    _write(path, kind)
    command = [sys.executable, "-c", CODE, str(path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    path.unlink()  # pytest keeps the folders of three runs
    rows, megabytes = ran.stdout.split()
    assert int(rows) == ROWS
    assert float(megabytes) < 170  # the texts alone are 240 MB, and twice that as Python strings
