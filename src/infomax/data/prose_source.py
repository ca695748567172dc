"""The prose in one Python file: its docstrings, read by `ast`, and its comments, read by `tokenize`.

A paragraph is the unit: its lines are joined, and what is not prose is left out: doctests, tables, rulers, pragmas,
code that was commented out, lines in capitals, and whatever has fewer than three words.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
import warnings
from collections.abc import Iterator
from textwrap import dedent

from infomax.data.text_files import well_formed

MIN_WORDS = 3
_LETTERS = 0.7  # share of the characters, spaces apart, that are letters: tables and code have fewer
_WORD = re.compile(r"[^\W\d_]{2,}")
_PRAGMA = re.compile(r"^(?:!|-\*-|type:|noqa|pylint:|pragma:|fmt:|mypy:|vim?:|coding[:=])", re.IGNORECASE)
_MARKUP = re.compile(r"^\s*(?:>>>|\.\.\s+\S+::|@\w+)")
_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def prose_of(path: str) -> list[str]:
    """The paragraphs of a file, docstrings first; none if it is no valid Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in other people's code
        try:
            with tokenize.open(path) as file:
                text = file.read()
            blocks = [*_docstrings(ast.parse(text)), *_comments(text)]
        except (OSError, SyntaxError, ValueError, RecursionError, tokenize.TokenError):
            return []
        return [paragraph for block in blocks for paragraph in paragraphs(block)]


def paragraphs(block: str) -> list[str]:
    """The prose paragraphs of a docstring or comment, each on one line.

    >>> paragraphs("Add two numbers\\nand give the sum.\\n\\n>>> add(1, 2)\\n3\\n\\nx = add(1, 2)\\n\\n------")
    ['Add two numbers and give the sum.']
    """
    parts = re.split(r"\n[ \t]*\n", block)
    return [well_formed(" ".join(part.split())) for part in parts if _is_prose(part)]


def _is_prose(part: str) -> bool:
    letters = sum(map(str.isalpha, part))
    return (
        len(_WORD.findall(part)) >= MIN_WORDS
        and letters >= _LETTERS * len("".join(part.split()))
        and 2 * sum(map(str.isupper, part)) < letters
        and not _MARKUP.search(part)
        and not _is_code(part)
    )


def _is_code(part: str) -> bool:
    try:
        ast.parse(dedent(part).strip())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _docstrings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and (text := ast.get_docstring(node, clean=False)):
            yield inspect.cleandoc(text)


def _comments(text: str) -> Iterator[str]:
    """Comments on consecutive lines, below each other, are one block."""
    block: list[str] = []
    last = (0, 0)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, column = token.start
        if block and (line, column) != (last[0] + 1, last[1]):
            yield "\n".join(block)
            block = []
        last = line, column
        content = token.string.lstrip("#:")
        block.append("" if _PRAGMA.match(content.lstrip()) else content)
    yield "\n".join(block)
