"""Whole trees: order, labels, groups, twins, the cache, parallel reading and interruption."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest

from infomax.data import python_pairs
from infomax.data.source_tree import environment_roots, source_files
from infomax.errors import InfomaxError, InputError


def _function(name, doc, body="return x"):
    return f'def {name}(x):\n    """{doc}"""\n    {body}\n'


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    files = {
        "pkg/__init__.py": _function("top", "The top of the package."),
        "pkg/a.py": _function("first", "Find the first item.") + _function("second", "Find the second item."),
        "pkg/copy.py": _function("first", "Find the first item."),
        "pkg/same_doc.py": _function("other", "Find the first item.", "return x[0]"),
        "pkg/broken.py": '"""x"""\ndef f(:\n',
        "pkg/undocumented.py": "def f(x):\n    return x\n",
        "tests/x.py": _function("test_it", "Test that it works."),
        "pkg/test_y.py": _function("test_it", "Test that it works."),
        "pkg/_vendor/z.py": _function("twin", "Somebody else's function here."),
        ".hidden/z.py": _function("hidden", "Nobody should see this."),
        "env/pyvenv.cfg": "",
        "env/lib.py": _function("installed", "Belongs to an environment."),
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "pkg" / "dangling.py").symlink_to(root / "nowhere.py")
    return root


def _content(pairs):
    return (
        pairs.anchors[:],
        pairs.candidates[:],
        list(pairs.labels),
        pairs.ids.tolist(),
        pairs.groups.tolist(),
        dict(pairs.report.skipped),
        (pairs.report.read, pairs.report.kept),
    )


def test_a_tree(tree, tmp_path):
    pairs = python_pairs(tree, cache=tmp_path / "cache")
    assert list(pairs.labels) == [
        "pkg.top  (pkg/__init__.py:1)",
        "pkg.a.first  (pkg/a.py:1)",
        "pkg.a.second  (pkg/a.py:4)",
        "pkg.same_doc.other  (pkg/same_doc.py:1)",
    ]
    assert pairs.anchors[:2] == ["The top of the package.", "Find the first item."]
    assert pairs.report.skipped == {"exact twins of another pair": 1, "files that are not valid Python": 1}
    assert (pairs.report.read, pairs.report.kept) == (5, 4)
    assert pairs.ids[1] == pairs.ids[3]
    assert len(set(pairs.ids.tolist())) == 3
    assert pairs.groups[1] == pairs.groups[2]
    assert len(set(pairs.groups.tolist())) == 3


def test_the_cache_gives_the_same_pairs_without_parsing(tree, tmp_path, monkeypatch):
    cache = tmp_path / "cache"
    fresh = _content(python_pairs(tree, cache=cache))
    monkeypatch.setattr("infomax.data.harvest.read_source", None)  # parsing would fail
    assert _content(python_pairs(tree, cache=cache)) == fresh


def test_only_changed_files_are_parsed_again(tree, tmp_path, monkeypatch):
    from infomax.data import harvest

    cache = tmp_path / "cache"
    python_pairs(tree, cache=cache)
    (tree / "pkg" / "a.py").write_text(_function("third", "Find the third item."))
    (tree / "pkg" / "copy.py").unlink()
    parsed = []
    original = harvest.read_source
    monkeypatch.setattr(harvest, "read_source", lambda path: parsed.append(os.path.basename(path)) or original(path))
    updated = _content(python_pairs(tree, cache=cache))
    assert parsed == ["a.py"]
    assert updated[2][1] == "pkg.a.third  (pkg/a.py:1)"
    assert updated == _content(python_pairs(tree, cache=tmp_path / "other"))


def _scribble(data):
    """A docstring overwritten, the structure left as it was."""
    return data.replace(b"Find the second item.", b"\xff" * 21)


@pytest.mark.parametrize(
    "damage",
    [lambda data: b"", lambda data: b"garbage" * 99, lambda data: data[: len(data) // 2], _scribble],
)
def test_a_corrupt_cache_is_rebuilt(tree, tmp_path, damage):
    cache = tmp_path / "cache"
    fresh = _content(python_pairs(tree, cache=cache))
    (path,) = cache.iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert _content(python_pairs(tree, cache=cache)) == fresh
    assert [file.name for file in cache.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("name", "value"), [("INFOMAX_CACHE", "x"), ("XDG_CACHE_HOME", "x/infomax"), ("HOME", "x/.cache/infomax")]
)
def test_where_the_cache_is(tree, tmp_path, monkeypatch, name, value):
    for other in ("INFOMAX_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, str(tmp_path / "x"))
    python_pairs(tree)
    assert list((tmp_path / value).glob("python-*.arrow"))


def test_without_a_usable_cache_folder_pairs_come_all_the_same(tree, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("INFOMAX_CACHE", str(tmp_path / "file" / "below"))
    assert len(python_pairs(tree)) == 4
    with pytest.raises(InfomaxError, match="Could not write the pairs"):
        python_pairs(tree, cache=tmp_path / "file" / "below")


def test_processes_do_not_change_the_result(tmp_path):
    root = tmp_path / "many"
    root.mkdir()
    for i in range(40):
        filler = "# filler\n" * 20_000
        (root / f"m{i:02}.py").write_text(
            _function(f"f{i}", f"Compute item number {i} of many.", f"return {i}") + filler
        )
    seen = []
    one = python_pairs(root, cache=tmp_path / "one", jobs=1)
    two = python_pairs(root, cache=tmp_path / "two", jobs=2, progress=lambda done, total: seen.append((done, total)))
    assert _content(one) == _content(two)
    assert len(one) == 40
    assert seen[-1] == (40, 40)
    assert len(seen) > 4  # so that it did run in parallel
    assert seen == sorted(seen)


def test_several_roots_packages_and_files(tree, tmp_path):
    (tmp_path / "lone.py").write_text(_function("alone", "A function of its own."))
    roots = [tree / "pkg", tmp_path / "lone.py", tree]
    pairs = python_pairs(roots, cache=tmp_path / "cache")
    assert pairs.labels[1] == "pkg.a.first  (pkg/a.py:1)"  # a package is shown under its name
    assert pairs.labels[4] == "lone.alone  (lone.py:1)"
    assert len(pairs) == 5  # the second visit to pkg adds nothing


def test_max_pairs_takes_whole_files_and_is_deterministic(tree, tmp_path):
    for limit in (1, 2, 3):
        pairs = python_pairs(tree, cache=tmp_path / "cache", max_pairs=limit)
        assert len(pairs) <= limit
        assert pairs.report.skipped["functions beyond max_pairs"] == 4 - len(pairs)
        both = [label for label in pairs.labels if label.startswith("pkg.a.")]
        assert len(both) in (0, 2)
        assert _content(pairs) == _content(python_pairs(tree, cache=tmp_path / "other", max_pairs=limit))
    assert len(python_pairs(tree, cache=tmp_path / "cache", max_pairs=4)) == 4


def test_max_pairs_keeps_the_standard_library(tree, tmp_path, monkeypatch):
    other = tmp_path / "installed"
    other.mkdir()
    for i in range(9):
        (other / f"m{i}.py").write_text(_function(f"f{i}", f"Compute item number {i} of many.", f"return {i}"))
    monkeypatch.setattr(sys.modules["infomax.data.python_pairs"], "environment_roots", lambda: [tree, other])
    pairs = python_pairs(cache=tmp_path / "cache", max_pairs=6)
    assert sum(label.startswith("pkg.") for label in pairs.labels) == 4
    assert len(pairs) == 6


@pytest.mark.parametrize(
    ("name", "match"), [("absent", "No Python source at"), ("empty", r"No documented .* \(1 files\)")]
)
def test_roots_that_give_nothing(tmp_path, name, match):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "m.py").write_text("x = 1\n")
    with pytest.raises(InputError, match=match):
        python_pairs(tmp_path / name, cache=tmp_path / "cache")


def test_the_environment_starts_with_the_standard_library():
    roots = environment_roots()
    files = source_files(roots)
    assert files[0].root == 0
    names = {file.shown for file in files if file.root == 0}
    assert "asyncio/tasks.py" in names
    assert not any(name.startswith(("test/", "idlelib/", "site-packages/")) for name in names)
    assert any(file.shown == "numpy/linalg/_linalg.py" for file in files)
    assert len({file.path for file in files}) == len(files)


def test_the_standard_library_gives_pairs_that_do_not_leak(tmp_path):
    pairs = python_pairs(os.path.dirname(textwrap.__file__) + "/textwrap.py", cache=tmp_path)
    assert "textwrap.dedent  (textwrap.py:" in " ".join(pairs.labels)
    folder = os.path.dirname(textwrap.__file__)
    pairs = python_pairs([f"{folder}/email", f"{folder}/asyncio", f"{folder}/argparse.py"], cache=tmp_path)
    assert len(pairs) > 400
    for anchor, candidate in zip(pairs.anchors, pairs.candidates, strict=True):
        assert anchor not in candidate
        assert "def " in candidate
    assert np.array_equal(
        np.unique(pairs.groups, return_index=True)[1], np.flatnonzero(np.diff(pairs.groups, prepend=-1))
    )


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_an_interrupted_harvest_leaves_nothing_behind(tmp_path):
    root = tmp_path / "big"
    root.mkdir()
    for i in range(60):
        body = "".join(_function(f"f{j}", f"Compute item {j} of file {i}.", f"return {j}") for j in range(4000))
        (root / f"m{i}.py").write_text(body)
    code = f"""
        from infomax.data import python_pairs
        def progress(done, total):
            print("go", flush=True)
        try:
            python_pairs({str(root)!r}, cache={str(tmp_path / "cache")!r}, jobs=2, progress=progress)
        except KeyboardInterrupt:
            print("interrupted")
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as run:
        run.stdout.readline()
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does
        asked = time.monotonic()
        out, err = run.communicate(timeout=60)
    assert out.endswith("interrupted\n")
    assert "Traceback" not in err
    assert time.monotonic() - asked < 20
    assert not list((tmp_path / "cache").iterdir())
