"""Break the code on purpose, one line at a time, and see that a test notices.

`tests/mutants.toml` lists the mutants: a file of the package, a text that stands in it once, what to put in its place,
why that would be wrong, and the tests that must fail. Each is applied to a copy of the tree, never to the tree itself.

    python tools/mutants.py [--only WORD] [--jobs N] [--baseline]

Exit status 1 where a mutant survives, no longer applies, or breaks the import; each is named. The tests must pass while
nothing is broken: `make test` first, or `--baseline`. Needs a system that can fork: torch is imported once, for all.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIST = ROOT / "tests" / "mutants.toml"
TIMEOUT = 300  # seconds; a mutant that hangs is noticed too
KILLED, SURVIVED, STALE, BROKEN = "killed", "SURVIVED", "STALE", "BROKEN"
IMPORTED_ONCE = ("torch", "numpy", "scipy.sparse", "pytest", "xdist", "hypothesis", "jaxtyping", "beartype.roar")
FOREIGN = 99  # exit status of a child that tested another copy than its own


@dataclass(frozen=True)
class Mutant:
    """`old` stands once in src/infomax/`file`; with `new` in its place, the `tests` (arguments of pytest) must fail."""

    why: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


@dataclass
class Child:
    """A forked process that runs some tests in its own copy of the tree; `mutant` is None where nothing is broken."""

    number: int
    mutant: Mutant | None
    tree: Path
    pid: int
    start: float


def read(path: Path) -> list[Mutant]:
    """The list; every mutant changes something."""
    found = [Mutant(**{**m, "tests": tuple(m["tests"])}) for m in tomllib.loads(path.read_text())["mutant"]]
    for mutant in found:
        if mutant.old == mutant.new:
            raise SystemExit(f"this mutant changes nothing: {mutant.why}")
    return found


def copy_tree(folder: Path) -> Path:
    """What the tests need, copied."""
    for name in ("src", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*_cache"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def matches(mutant: Mutant, tree: Path) -> int:
    """How often the old text stands in its file: once is right."""
    path = tree / "src" / "infomax" / mutant.file
    return path.read_text().count(mutant.old) if path.exists() else 0


def start(number: int, mutant: Mutant | None, tests: tuple[str, ...], tree: Path) -> Child:
    """Apply the mutant to the tree, and fork a child that runs these tests there."""
    if mutant:
        path = tree / "src" / "infomax" / mutant.file
        path.write_text(path.read_text().replace(mutant.old, mutant.new))
    sys.stdout.flush()
    pid = os.fork()
    if pid:
        return Child(number, mutant, tree, pid, time.monotonic())
    status = FOREIGN
    try:
        status = run_tests(tree, tests)
    finally:
        os._exit(status)


def run_tests(tree: Path, tests: tuple[str, ...]) -> int:
    """pytest in this process; its exit status. What it prints goes to a file beside the tree."""
    import pytest

    os.setsid()  # what the tests start ends with them
    os.chdir(tree)
    os.environ |= {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    sys.dont_write_bytecode = True
    sys.path.insert(0, str(tree / "src"))
    with open(tree / "output", "w") as output, redirect_stdout(output), redirect_stderr(output):
        status = int(
            pytest.main(["-x", "-n", "0", "-q", "-p", "no:cacheprovider", "--tb=line", "--disable-warnings", *tests])
        )
    package = sys.modules.get("infomax")
    tested = package is None or Path(str(package.__file__)).is_relative_to(tree)
    return status if tested else FOREIGN


def finished(children: list[Child]) -> Iterator[tuple[Child, int | None]]:
    """Children that have ended, with their exit status; None for one that ran out of time and was ended."""
    for child in list(children):
        pid, status = os.waitpid(child.pid, os.WNOHANG)
        if not pid and time.monotonic() - child.start < TIMEOUT:
            continue
        if not pid:
            os.killpg(child.pid, 9)
            os.waitpid(child.pid, 0)
        children.remove(child)
        yield child, os.waitstatus_to_exitcode(status) if pid else None


def outcome(child: Child, status: int | None, total: int) -> str:
    """Tell how it went, in a line; more where it is not killed."""
    assert child.mutant is not None
    word = {0: SURVIVED, 1: KILLED, None: KILLED}.get(status, BROKEN)
    seconds = time.monotonic() - child.start
    print(f"{child.number:3d}/{total} {word:8s} {seconds:5.1f} s  {child.mutant.file}: {child.mutant.why}", flush=True)
    if word != KILLED:
        print(f"        exit status {status} of pytest {' '.join(child.mutant.tests)}", flush=True)
    if word == BROKEN:
        print((child.tree / "output").read_text()[-1500:], flush=True)
    return word


def run(mutants: list[Mutant], trees: list[Path]) -> list[str]:
    """Judge all, one in each copy of the tree at a time, and repair the copy after each."""
    waiting, children, words = list(enumerate(mutants, 1)), list[Child](), list[str]()
    sources = {m.file: (trees[0] / "src" / "infomax" / m.file) for m in mutants}
    original = {file: path.read_text() for file, path in sources.items() if path.exists()}
    free = list(trees)
    while waiting or children:
        while waiting and free:
            number, mutant = waiting.pop(0)
            if (count := matches(mutant, free[-1])) != 1:
                print(f"{number:3d}/{len(mutants)} {STALE:8s}          {mutant.file}: {mutant.why}")
                print(f"        the old text stands there {count} times, not once: {mutant.old!r}", flush=True)
                words.append(STALE)
                continue
            children.append(start(number, mutant, mutant.tests, free.pop()))
        for child, status in finished(children):
            words.append(outcome(child, status, len(mutants)))
            assert child.mutant is not None
            (child.tree / "src" / "infomax" / child.mutant.file).write_text(original[child.mutant.file])
            free.append(child.tree)
        time.sleep(0.02)
    return words


def baseline(mutants: list[Mutant], trees: list[Path]) -> bool:
    """Whether every file whose tests are to fail passes while nothing is broken."""
    files = sorted({test for mutant in mutants for test in mutant.tests if test.endswith(".py")})
    children = [start(i, None, tuple(files[i :: len(trees)]), tree) for i, tree in enumerate(trees)]
    good = True
    while children:
        for child, status in finished(children):
            if status != 0:
                print(f"while nothing is broken: {(child.tree / 'output').read_text()[-1500:]}", flush=True)
                good = False
        time.sleep(0.1)
    return good


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="mutants with this word in their file, reason or tests")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--baseline", action="store_true", help="first see the tests pass")
    options = parser.parse_args()
    os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    for name in IMPORTED_ONCE:
        import_module(name)
    mutants = [m for m in read(LIST) if options.only in " ".join((m.file, m.why, *m.tests))]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trees = [copy_tree(Path(folder).resolve() / str(i)) for i in range(options.jobs)]
        if options.baseline and not baseline(mutants, trees):
            return 1
        words = run(mutants, trees)
    told = ", ".join(f"{words.count(w)} {w.lower()}" for w in (KILLED, SURVIVED, STALE, BROKEN) if w in words)
    print(f"{len(words)} mutants: {told}; {time.monotonic() - began:.0f} s")
    return 0 if words and words.count(KILLED) == len(words) else 1


if __name__ == "__main__":
    sys.exit(main())
