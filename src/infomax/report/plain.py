"""Results as strict JSON: only objects, lists, strings, booleans, null and finite numbers.

JSON has no NaN and no infinity; both become null, so that every parser reads what is written here.
"""

from __future__ import annotations

from typing import Any

from infomax.evaluation.result import Evaluation
from infomax.report.strict_json import plain
from infomax.training.result import FitResult


def fit_json(result: FitResult) -> dict[str, Any]:
    """Everything of a fit but its encoder and its score samples, as strict JSON data.

    Informations are in nats, as in the result; the read-out repeats its bound as "bits".
    """
    evaluation = result.evaluation
    return plain(result.to_dict() | {"evaluation": evaluation and evaluation_json(evaluation)})


def evaluation_json(evaluation: Evaluation) -> dict[str, Any]:
    """An evaluation as strict JSON data, without its samples of scores: thousands of numbers would bury a dozen."""
    data = evaluation.to_dict()
    return plain({name: value for name, value in data.items() if name not in ("positive_scores", "negative_scores")})
