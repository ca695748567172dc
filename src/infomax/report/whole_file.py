"""A report on disk: whole or not at all, in the form that its name ends in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from infomax.errors import InputError
from infomax.evaluation.storage import replace


def write_whole(path: str | Path, forms: Mapping[str, Callable[[], str]]) -> Path:
    """Write what the form of the path's ending gives; `forms` is ending -> text.

    The file appears at once and whole; a reader never sees half of it, and a failure leaves the older file as it was.

    Raises:
        InputError: another ending.
        InfomaxError: the disk is full, or the folder cannot be written.
    """
    path = Path(path)
    form = forms.get(path.suffix.lower())
    if form is None:
        raise InputError(
            f"A report is written to a {' or a '.join(forms)} file, not to {path.name!r}; give one of these names."
        )
    content = form().encode("utf-8", "replace")
    replace(path, lambda temporary: temporary.write_bytes(content))
    return path
