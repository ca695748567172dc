"""A fit that never ran: every field of a result filled with figures that a test knows."""

from __future__ import annotations

from dataclasses import replace
from math import log

import numpy as np
import pytest
import torch

from infomax.bounds.readout import Readout
from infomax.data.pairs import ReadReport
from infomax.evaluation.result import Evaluation, Retrieval
from infomax.training.result import FitResult


def _readout() -> Readout:
    ceiling = log(1024)
    return Readout(
        loss=ceiling - 5.0,
        ceiling=ceiling,
        bound=5.0,
        side="lower bound",
        standard_error=0.05,
        saturation=5.0 / ceiling,
        top1=0.37,
        effective_negatives=41.0,
        mean_positive=11.0,
        mean_negative=0.5,
        rows=1024,
        candidates=1024.0,
        reason="all held-out candidates count and none is masked",
        warnings=("the bound is near its ceiling",),
    )


def _evaluation() -> Evaluation:
    rng = np.random.default_rng(0)
    return Evaluation(
        readout=_readout(),
        fitted=Retrieval({1: 0.41, 5: 0.65, 10: 0.761}, 0.52, 1024, 1024),
        untrained=Retrieval({1: 0.24, 5: 0.42, 10: 0.493}, 0.33, 1024, 1024),
        bm25=Retrieval({1: 0.32, 5: 0.55, 10: 0.612}, 0.42, 1024, 1024),
        positive_scores=rng.normal(11, 2.5, 2000).tolist(),
        negative_scores=rng.normal(0.5, 2.0, 2000).tolist(),
        examples=[
            (
                "Parse an ISO 8601 date and return a datetime object.",
                "datetime.fromisoformat  datetime.py:1768",
                [
                    ("datetime.fromisoformat  datetime.py:1768", 14.2),
                    ("pandas.to_datetime  tools/datetimes.py:638", 12.9),
                    ("email.utils.parsedate_to_datetime  utils.py:196", 11.0),
                    ("_strptime._strptime  _strptime.py:309", 10.4),
                    ("time.strptime  time.py:12", 9.9),
                ],
            ),
            (
                "Return the list without repeats, keeping order.",
                "more_itertools.unique_everseen  recipes.py:400",
                [
                    ("pip._internal.utils.misc.dedupe  misc.py:80", 9.2),
                    ("numpy.unique  arraysetops.py:138", 8.7),
                    ("collections.OrderedDict.fromkeys  __init__.py:250", 8.1),
                    ("networkx.utils.flatten  misc.py:60", 6.0),
                    ("ast.walk  ast.py:373", 5.5),
                ],
            ),
        ],
    )


@pytest.fixture
def result() -> FitResult:
    steps = np.arange(0, 400, 5)
    history = [{"step": int(s), "epoch": s / 200, "loss": 6.9 * np.exp(-s / 90) + 0.6, "score": 1.0} for s in steps]
    for entry in history[::8]:
        entry["validation_bound"] = 5.0 * (1 - np.exp(-entry["step"] / 80))
        entry["validation_ceiling"] = log(1024)
        entry["validation_loss"] = log(1024) - entry["validation_bound"]
    return FitResult(
        encoder=torch.nn.Identity(),
        temperature=0.0432,
        history=history,
        evaluation=_evaluation(),
        read=ReadReport(
            "pairs.csv", 12060, 12000, {"an empty anchor": 40, "a cell longer than 1,000,000 characters": 20}
        ),
        sizes={"train": 9952, "validation": 1024, "test": 1024},
        settings={"epochs": 2, "batch_size": 2048, "learning_rate": 0.05, "seed": 0, "out": None, "symmetric": True},
        versions={"python": "3.11.2", "infomax": "0.1.0", "torch": "2.13.0"},
        seconds={"read": 2.0, "split": 0.5, "train": 61.0, "evaluate": 3.2},
        warnings=("validation was best at the last step: more epochs may help",),
    )


@pytest.fixture
def with_readout(result):
    """The fit with some fields of its read-out replaced."""

    def changed(**fields) -> FitResult:
        readout = replace(result.evaluation.readout, **fields)
        return replace(result, evaluation=replace(result.evaluation, readout=readout))

    return changed
