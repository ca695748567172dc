"""What the pages of the documentation show is what comes out, but for the last digits, which differ between machines."""

import doctest
import re
from math import isclose
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [page for page in sorted((ROOT / "docs").rglob("*.md")) if ">>> " in page.read_text(encoding="utf-8")]
FRACTION = re.compile(r"\d+\.\d+(?:e[-+]?\d+)?")


class Near(doctest.OutputChecker):
    """Fractions may differ by a tenth or two of the last digit shown; all else is as it stands."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        if super().check_output(want, got, optionflags):
            return True
        pairs = list(zip(FRACTION.findall(want), FRACTION.findall(got), strict=False))
        same = super().check_output(FRACTION.sub("number", want), FRACTION.sub("number", got), optionflags)
        return same and all(
            isclose(float(one), float(other), rel_tol=0.1, abs_tol=2 * 10.0 ** -len(one.partition(".")[2]))
            for one, other in pairs
        )


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_page_shows_what_comes_out(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    examples = doctest.DocTestParser().get_doctest(page.read_text(encoding="utf-8"), {}, page.stem, str(page), 0)
    runner = doctest.DocTestRunner(Near(), optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    found = runner.run(examples)
    assert found.attempted
    assert not found.failed


@pytest.mark.parametrize(
    ("want", "got", "near"),
    [
        ("0.94 nats, 3 rows", "0.96 nats, 3 rows", True),
        ("0.94 nats, 3 rows", "0.74 nats, 3 rows", False),
        ("0.94 nats, 3 rows", "0.94 nats, 4 rows", False),
        ("0.94 nats", "0.94 bits", False),
        ("(6.6, 0.3)", "(6.6,)", False),
    ],
)
def test_nearness(want, got, near):
    assert Near().check_output(want + "\n", got + "\n", 0) is near
