"""Results for programs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from infomax.report import evaluation_json, fit_json, json_text


def _refuse(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_a_fit_survives_a_strict_round_trip(result):
    data = fit_json(result)
    assert json.loads(json_text(data), parse_constant=_refuse) == data
    assert data["evaluation"]["fitted"]["recall"] == {"1": 0.41, "5": 0.65, "10": 0.761}
    assert data["evaluation"]["readout"]["bound"] == 5.0
    assert data["evaluation"]["readout"]["bits"] == pytest.approx(7.2135, abs=1e-4)
    assert data["read"]["skipped"]["an empty anchor"] == 40
    assert data["history"][0]["validation_bound"] == 0.0
    assert "encoder" not in data


def test_what_json_cannot_hold_becomes_null(with_readout):
    data = fit_json(with_readout(standard_error=float("nan"), effective_negatives=float("inf")))
    readout = json.loads(json_text(data), parse_constant=_refuse)["evaluation"]["readout"]
    assert readout["standard_error"] is None
    assert readout["effective_negatives"] is None


def test_samples_of_scores_are_left_to_the_page(result):
    assert not {"positive_scores", "negative_scores"} & set(evaluation_json(result.evaluation))


def test_no_evaluation_is_null(result):
    assert fit_json(replace(result, evaluation=None))["evaluation"] is None


def test_arrays_tensors_and_odd_values_become_plain(tmp_path):
    odd = {"a": np.float32(0.5), "b": np.arange(2), "c": torch.tensor([1.0, float("inf")]), 3: True, "p": tmp_path}
    assert json.loads(json_text(odd)) == {"a": 0.5, "b": [0, 1], "c": [1.0, None], "3": True, "p": str(tmp_path)}


def test_text_is_ascii_on_one_line():
    line = json_text({"label": "naïve\n\u2028 \ud800"})
    assert line.isascii()
    assert "\n" not in line
    assert json.loads(line) == {"label": "naïve\n\u2028 \ud800"}
