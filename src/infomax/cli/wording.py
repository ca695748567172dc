"""Errors in the words of the command line.

The package's messages name arguments as Python does: `delimiter=';'`, `overwrite=True`, `learning_rate`. Who typed a command
has options instead. What stands in quotes is a name of the user's own and stays as it is.
"""

from __future__ import annotations

import re
import shlex
from ast import literal_eval
from collections.abc import Mapping

_QUOTED = r"""(?<!\w)(?:'[^']*'|"[^"]*"|`[^`]*`)"""
_VALUE = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[-+\w]+(?:\.\w+)*"""


def in_options(message: str, options: Mapping[str, str]) -> str:
    """The message with each argument of Python as the option that stands for it.

    Args:
        options: argument of Python -> option, such as {"delimiter": "--delimiter"}. A name of one plain word is taken for
            an argument only where it is given a value, or where the message says what it must be, was or is now.

    >>> in_options("its header holds semicolons: pass delimiter=';'.", {"delimiter": "--delimiter"})
    "its header holds semicolons: pass --delimiter ';'."
    """
    if not options:
        return message
    names = "|".join(sorted(map(re.escape, options), key=len, reverse=True))
    snakes = "|".join(sorted((re.escape(name) for name in options if "_" in name), key=len, reverse=True)) or "(?!)"
    argument = re.compile(
        rf"{_QUOTED}|(?<![\w./-])(?:(?P<given>{names})=(?P<value>{_VALUE})?"
        rf"|(?P<plain>{names})(?= must\b| was\b| \(now\b)|(?P<snake>{snakes})(?![\w/=]|\.\w))"
    )

    def as_option(found: re.Match[str]) -> str:
        name = found["given"] or found["plain"] or found["snake"]
        if name is None:
            return found[0]
        value = found["value"]
        return options[name] if value in (None, "True") else f"{options[name]} {_for_a_shell(value)}"

    return argument.sub(as_option, message)


def _for_a_shell(value: str) -> str:
    """A value as Python writes it, as a shell wants it; a tab stays the two signs that --delimiter takes for one."""
    if value[0] not in "'\"":
        return value
    text = literal_eval(value)
    return shlex.quote(text) if text.isprintable() else value
