"""One file: which functions become pairs, and what anchor and candidate hold."""

import textwrap

import pytest

from infomax.data.python_source import docstring_prose, read_source


def _read(tmp_path, source):
    path = tmp_path / "m.py"
    path.write_bytes(source if isinstance(source, bytes) else textwrap.dedent(source).encode())
    return read_source(str(path))


def test_functions_methods_and_coroutines(tmp_path):
    found = _read(
        tmp_path,
        '''
        import functools

        @functools.cache
        def double(x):
            """Double the given number.

            Args:
                x: a number.
            """
            # twice
            return 2 * x

        class Outer(Base):
            """A class."""
            class Inner:
                async def fetch(self, url):
                    """Fetch a page over HTTP."""
                    return await get(url)

        if True:
            try:
                def hidden(): "Not a triple-quoted docstring here"; return 1
            except ImportError:
                def fallback():
                    """Used when nothing imports."""

                    return None

        def holder():
            """Hold another function inside."""
            def closure():
                """Closures stay with their holder."""
                return 1
            return closure
        ''',
    )
    assert [(name, line) for name, line, _, _ in found.rows] == [
        ("double", 5),
        ("Outer.Inner.fetch", 17),
        ("hidden", 23),
        ("fallback", 25),
        ("holder", 30),
    ]
    anchors, candidates = [row[2] for row in found.rows], [row[3] for row in found.rows]
    assert anchors[0] == "Double the given number."
    assert candidates[0] == "@functools.cache\ndef double(x):\n    # twice\n    return 2 * x"
    assert candidates[1] == (
        "class Outer.Inner:\n        async def fetch(self, url):\n            return await get(url)"
    )
    assert candidates[2].split() == ["def", "hidden():", "return", "1"]
    assert candidates[3] == "        def fallback():\n            return None"
    assert "closure" in candidates[4]
    assert not found.skipped


def test_functions_under_with_and_finally_are_read(tmp_path):
    found = _read(
        tmp_path,
        '''
        with x:
            def f():
                """Adds one and two."""
                return 1 + 2
        try:
            pass
        finally:
            def g():
                """Adds two and three."""
                return 2 + 3
        ''',
    )
    assert [row[0] for row in found.rows] == ["f", "g"]


def test_no_anchor_is_in_its_candidate_and_columns_count_bytes(tmp_path):
    found = _read(tmp_path, 'def größe(ä="ü"): """Die Größe der Dinge."""; return "é"\n')
    assert found.rows == [("größe", 1, "Die Größe der Dinge.", 'def größe(ä="ü"): \nreturn "é"')]


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ('def f():\n    """Too short."""\n    return 1\n', "docstrings of fewer than 3 words"),
        ('def f():\n    """   """\n    return 1\n', "docstrings of fewer than 3 words"),
        ('def f():\n    """This does nothing at all."""\n', "functions without a body"),
        ('def f():\n    """This does nothing at all."""\n    pass\n', "functions without a body"),
        ('def f():\n    """This does nothing at all."""\n    ...\n', "functions without a body"),
        ('def f():\n    """This must be overridden."""\n    raise NotImplementedError\n', "functions without a body"),
        (
            'def f():\n    """This must be overridden."""\n    raise NotImplementedError("x")\n',
            "functions without a body",
        ),
        (
            'def f():\n    """Say it once more."""\n    return "Say it once more."\n',
            "functions that repeat their docstring in the code",
        ),
    ],
)
def test_unfit_functions_are_counted(tmp_path, function, reason):
    found = _read(tmp_path, function)
    assert not found.rows
    assert found.skipped == {reason: 1}


@pytest.mark.parametrize(
    "content",
    [
        b'def f(:\n    """Not valid Python here."""\n',
        b'"""null \x00 byte"""\n',
        b'"""not utf-8 \xff"""\n',
        b'# -*- coding: nonsense -*-\n"""x"""\n',
        b'"""deep"""\nx = ' + b"(" * 5000 + b")" * 5000,
    ],
)
def test_files_that_do_not_parse_are_counted(tmp_path, content):
    assert _read(tmp_path, content).skipped == {"files that are not valid Python": 1}


def test_a_file_that_is_not_there_is_counted(tmp_path):
    assert read_source(str(tmp_path / "gone.py")).skipped == {"files that cannot be read": 1}


def test_encodings_and_line_ends(tmp_path):
    source = '# coding: latin-1\r\ndef f(x):\r\n    """Überaus nützlich ist das."""\r\n    return "ö"\r\n'
    assert _read(tmp_path, source.encode("latin-1")).rows == [
        ("f", 2, "Überaus nützlich ist das.", 'def f(x):\n    return "ö"')
    ]
    with_mark = b'\xef\xbb\xbfdef f(x):\n    """Double the given number."""\n    return x\n'
    assert _read(tmp_path, with_mark).rows[0][2] == "Double the given number."


def test_other_peoples_warnings_stay_silent(tmp_path, recwarn):
    assert _read(tmp_path, 'def f(x):\n    """Split at \\d digits here."""\n    return 1 is 1\n').rows
    assert not recwarn


@pytest.mark.parametrize(
    ("docstring", "prose"),
    [
        ("One line only.", "One line only."),
        ("Summary.\n\nMore words.\n\nParameters\n----------\nx : int", "Summary.\n\nMore words."),
        ("Summary.\n\n    Args:\n        x: int", "Summary."),
        ("Summary.\n\n:param x: int\n:returns: y", "Summary."),
        ("Summary.\n\n>>> f(1)\n2", "Summary."),
        ("Summary.\n\n.. versionadded:: 1.2", "Summary."),
        ("Summary.\n@param x: int", "Summary."),
        ("Summary.\nReturns: a number", "Summary."),
        ("Returns a number: the mean.", "Returns a number: the mean."),
        ("Map a range like 1:3 to a slice.", "Map a range like 1:3 to a slice."),
        (">>> f(1)", ""),
    ],
)
def test_prose_ends_at_the_first_section(docstring, prose):
    assert docstring_prose(docstring) == prose
