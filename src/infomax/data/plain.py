"""Numbers and containers as strict JSON knows them."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """`value` with numpy scalars and arrays as Python's, tuples as lists, and None for NaN and infinity.

    >>> plain({"a": (np.float64(1.5), float("nan")), "b": np.arange(2)})
    {'a': [1.5, None], 'b': [0, 1]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value
