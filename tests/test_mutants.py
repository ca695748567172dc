"""The list of mutants keeps up with the code: each still stands in its file once, is Python, and its tests exist."""

import ast
import tomllib
from pathlib import Path

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "src" / "infomax"


def test_every_mutant_applies():
    mutants = tomllib.loads((TESTS / "mutants.toml").read_text())["mutant"]
    stale = [one["why"] for one in mutants if (PACKAGE / one["file"]).read_text().count(one["old"]) != 1]
    assert not stale
    for one in mutants:  # a file that does not parse would be killed by any test
        ast.parse((PACKAGE / one["file"]).read_text().replace(one["old"], one["new"]), one["why"])
    lost = [
        path
        for one in mutants
        for path in one["tests"]
        if path.startswith("tests/") and not (TESTS.parent / path).exists()
    ]
    assert not lost
