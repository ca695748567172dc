"""Results as strict JSON: only objects, lists, strings, booleans, null and finite numbers.

JSON has no NaN and no infinity; both become null, so that every parser reads what is written here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import isfinite
from numbers import Integral, Real
from typing import Any

from infomax.evaluation.result import Evaluation
from infomax.training.result import FitResult


def fit_json(result: FitResult) -> dict[str, Any]:
    """Everything of a fit but its encoder and its score samples, as strict JSON data.

    Informations are in nats, as in the result; the read-out repeats its bound as "bits".
    """
    evaluation = result.evaluation
    return _plain(result.to_dict() | {"evaluation": evaluation and evaluation_json(evaluation)})


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as strict JSON data, without its samples of scores: thousands of numbers would bury a dozen."""
    data = evaluation.to_dict()
    return _plain({name: value for name, value in data.items() if name not in ("positive_scores", "negative_scores")})


def json_text(data: Any) -> str:
    """`data` as one line of strict JSON, ASCII only, so that it survives any terminal, pipe and code page."""
    return json.dumps(_plain(data), allow_nan=False)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # arrays and tensors
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return str(value)
