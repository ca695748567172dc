"""Any result as strict JSON, in which NaN and infinity are null, so that every parser reads what is written here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from numbers import Integral, Real
from typing import Any


def json_text(data: Any) -> str:
    """`data` as one line of strict JSON, ASCII only, so that it survives any terminal, pipe and code page."""
    return json.dumps(plain(data), allow_nan=False)


def plain(value: Any) -> Any:
    """Only objects, lists, strings, booleans, null and finite numbers; anything else by its own words."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # arrays and tensors
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value)
