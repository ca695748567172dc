"""One Python file -> its documented functions, read by `ast`.

A docstring says in words what the code beside it does, so docstring and code are two views of one intent: a natural
pair. The anchor is the docstring's prose up to its first section, the way one would ask for the function. The
candidate is the source without the docstring, under the line of its class, so that nothing of the anchor is copied
into it. Functions inside functions are left to the function that holds them.
"""

from __future__ import annotations

import ast
import inspect
import io
import re
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from infomax.data.text_files import well_formed

MIN_WORDS = 3  # as in CodeSearchNet: a shorter docstring does not tell functions apart

_WORD = re.compile(r"[^\W\d_]{2,}")
# Where prose ends: a doctest, a reST field or directive, a Google or numpydoc heading.
_SECTION = re.compile(
    r"^[ \t]*(?:>>>|:\w[\w ]*[^:\n]*:(?:\s|$)|@(?:param|return|type|rtype|raise)\b|\.\.[ \t]+\S"
    r"|(?:Args|Arguments|Parameters|Params|Keyword Args|Keyword Arguments|Other Parameters|Returns?|Yields?|Raises"
    r"|Examples?|Notes?|References|See Also|Attributes|Warnings?|Usage|Shape|Inputs?|Outputs?)[ \t]*:"
    r"|[A-Z][\w ]*\n[ \t]*[-=~^]{3,}[ \t]*$)",
    re.MULTILINE,
)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class SourceFile:
    """The pairs of one file: rows of (dotted name inside the file, line, docstring prose, source without docstring)."""

    rows: list[tuple[str, int, str, str]] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)


def read_source(path: str) -> SourceFile:
    """The documented functions and methods of one file; whatever cannot be used is counted in `skipped`."""
    found = SourceFile()
    try:
        raw = Path(path).read_bytes()
        if b'"""' not in raw and b"'''" not in raw:
            return found
        text = _decode(raw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in other people's code
            body = ast.parse(text).body
    except OSError:
        found.skipped["files that cannot be read"] += 1
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # ValueError: null bytes or undecodable text
        found.skipped["files that are not valid Python"] += 1
    else:
        _collect(body, text.split("\n"), found)
    return found


def docstring_prose(docstring: str) -> str:
    """The description in a docstring: everything up to its first section, field, directive or doctest."""
    text = inspect.cleandoc(docstring)
    section = _SECTION.search(text)
    return (text[: section.start()] if section else text).strip()


def _decode(raw: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
    return raw.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")


def _collect(body: list[ast.stmt], lines: list[str], found: SourceFile) -> None:
    for node, scope in _functions(body, ()):
        docstring = _docstring(node)
        if docstring is None:
            continue
        prose = docstring_prose(str(docstring.value))
        code = _source_without(docstring, node, scope, lines)
        reason = _unfit(prose, code, node)
        if reason:
            found.skipped[reason] += 1
        else:
            found.rows.append((".".join((*scope, node.name)), node.lineno, well_formed(prose), well_formed(code)))


def _functions(body: Iterable[ast.AST], scope: tuple[str, ...]) -> Iterator[tuple[_Function, tuple[str, ...]]]:
    for node in body:
        if isinstance(node, _Function):
            yield node, scope
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, (*scope, node.name))
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
            for part in ("body", "handlers", "orelse", "finalbody"):
                yield from _functions(getattr(node, part, ()), scope)


def _docstring(node: _Function) -> ast.Constant | None:
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        return first.value
    return None


def _source_without(docstring: ast.Constant, node: _Function, scope: tuple[str, ...], lines: list[str]) -> str:
    start = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
    before, after = lines[docstring.lineno - 1], lines[docstring.end_lineno - 1]  # type: ignore[operator]
    # ast counts columns in UTF-8 bytes, not in characters
    head = before.encode()[: docstring.col_offset].decode()
    tail = after.encode()[docstring.end_col_offset :].decode().lstrip(" ;")
    kept = [*lines[start - 1 : docstring.lineno - 1], head, tail, *lines[docstring.end_lineno : node.end_lineno]]
    code = "\n".join(line for line in kept if line.strip())
    return f"class {'.'.join(scope)}:\n{code}" if scope else code


def _unfit(prose: str, code: str, node: _Function) -> str | None:
    if len(_WORD.findall(prose)) < MIN_WORDS:
        return f"docstrings of fewer than {MIN_WORDS} words"
    if all(_says_nothing(statement) for statement in node.body[1:]):
        return "functions without a body"
    if prose in code:
        return "functions that repeat their docstring in the code"
    return None


def _says_nothing(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise) and statement.exc is not None:
        raised = statement.exc.func if isinstance(statement.exc, ast.Call) else statement.exc
        return isinstance(raised, ast.Name) and raised.id == "NotImplementedError"
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )
