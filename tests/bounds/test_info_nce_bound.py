"""The InfoNCE bound on every kind of scores: its value, its ceiling, and whether it may be called a bound."""

from __future__ import annotations

import json
import sys
from math import log
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "scores"))
from problems import expected, problems

from infomax import bounds
from infomax.errors import InputError
from infomax.scores import Scores

VOID = {
    "rectangular": "candidates beyond the pairs",
    "offsets": "an offset reweights",
    "columns": "candidates beyond the pairs",
    "shared columns": "candidates beyond the pairs",
    "ids": "masked",
    "columns and ids": "masked",
    "labels": "several positives",
    "labels of themselves": "several positives",
    "labels and offsets": "several positives",
    "own positives": "not among the candidates",
    "own positives and offsets": "not among the candidates",
    "own positives, own negatives, all offsets": "not among the candidates",
    "paired negatives": "the row's own negatives",
    "paired negatives only": "not among the candidates",
    "everything": "the row's own negatives",
    "guided": "a guide",
    "guided labels": "several positives",
}
KINDS = list(problems())


@pytest.mark.parametrize("backend", ["dense", "streamed"])
@pytest.mark.parametrize("kind", KINDS)
def test_value_ceiling_and_side_of_every_kind(kind, backend):
    problem = problems()[kind]
    found = bounds.info_nce(problem.scores(backend))
    ceiling = expected(problem, "counts").double().log()
    loss = expected(problem, "rows") - expected(problem, "positive")
    assert found.value == pytest.approx(float((ceiling - loss).detach().mean()), abs=1e-10)
    assert found.ceiling == pytest.approx(float(ceiling.mean()), abs=1e-12)
    assert found.side == ("neither" if kind in VOID else "lower")
    assert found.assumption.startswith(
        "no bound: " if kind in VOID else "a lower bound in expectation, if the pairs are"
    )
    assert VOID.get(kind, "not fitted to") in found.assumption
    assert found.standard_error > 0
    assert found.bits == pytest.approx(found.value / log(2))


def test_each_reason_alone_voids_the_word():
    """A square matrix is a bound; each of these, added to it, takes the word away, and says so."""
    a, b = torch.eye(6, dtype=torch.float64), torch.ones(6, 6, dtype=torch.float64)
    same = torch.tensor([0, 0, 1, 2, 3, 4])
    reasons = {
        "labels give several positives a row": {"positives": (same, same)},
        "the positives are not among the candidates": {"positives": b},
        "the row's own negatives need not come from the marginal": {"negatives": b[:, None]},
        "an offset reweights the candidates": {"column_offset": b[0]},
        "false negatives are masked": {"anchor_ids": same, "candidate_ids": same},
        "several rows share a positive": {"positives": same},
    }
    assert bounds.info_nce(Scores(a, b)).side == "lower"
    for reason, options in reasons.items():
        for backend in ("dense", "streamed"):
            assert bounds.info_nce(Scores(a, b, backend=backend, **options)).assumption == f"no bound: {reason}"
    more = bounds.info_nce(Scores(a[:5], b))
    assert more.assumption == "no bound: candidates beyond the pairs need not come from the marginal"
    assert more.side == "neither"


@pytest.mark.parametrize(
    "options",
    [
        {"row_offset": torch.arange(6.0)},
        {"positives": torch.tensor([3, 1, 5, 0, 2, 4])},
        {"anchor_ids": torch.arange(6), "candidate_ids": torch.arange(6)},
        {"temperature": 0.1},
    ],
    ids=["a function of the anchor", "another order", "ids that mask nothing", "a temperature"],
)
def test_what_leaves_the_word(options):
    found = bounds.info_nce(Scores(torch.eye(6), torch.eye(6), **options))
    assert found.side == "lower"
    assert found.ceiling == pytest.approx(log(6))


@pytest.mark.parametrize("kind", ["square", "columns", "ids", "labels", "labels of themselves"])
def test_a_matrix_from_a_critic_gives_the_same(kind):
    problem = problems()[kind]
    given = {k: v for k, v in problem.options.items() if k in ("positives", "anchor_ids", "candidate_ids")}
    matrix = Scores.from_dense(problem.shared()[0], **given)
    found, want = bounds.info_nce(matrix), bounds.info_nce(problem.scores("streamed"))
    assert found.value == pytest.approx(want.value, abs=1e-10)
    assert found.standard_error == pytest.approx(want.standard_error, abs=1e-10)
    assert (found.side, found.ceiling, found.assumption) == (want.side, want.ceiling, want.assumption)
    assert bounds.readout(matrix).side == ("lower bound" if kind == "square" else "score")


def test_nothing_is_clipped():
    """A critic that is wrong on purpose reads far below 0."""
    found = bounds.info_nce(Scores(-20 * torch.eye(8), torch.eye(8)))
    assert found.value == pytest.approx(log(8) - 20 - log(7), abs=1e-5)


def test_gradients_are_neither_needed_nor_left():
    problem = problems()["square"]
    for backend in ("dense", "streamed"):
        bounds.readout(problem.scores(backend))
    assert all(leaf.grad is None for leaf in problem.leaves())
    with torch.inference_mode():
        within = [bounds.readout(problems()["square"].scores(backend)) for backend in ("dense", "streamed")]
    assert within[0].standard_error == pytest.approx(within[1].standard_error, rel=1e-9)
    assert within[0].bound == pytest.approx(bounds.info_nce(problem.scores("dense")).value, rel=1e-9)


def test_rows_without_negatives_are_refused():
    with pytest.raises(InputError, match="no negative"):
        bounds.info_nce(Scores(torch.eye(1), torch.eye(1)))


def test_plain_data_is_strict_json():
    several = bounds.info_nce(Scores(torch.eye(4), torch.eye(4))).to_dict()
    assert json.loads(json.dumps(several, allow_nan=False)) == several
    assert set(several) == {"value", "side", "ceiling", "standard_error", "assumption", "bits"}
    one = bounds.info_nce(Scores(torch.eye(1, 4), torch.eye(4)))
    assert one.standard_error != one.standard_error
    assert json.loads(json.dumps(one.to_dict(), allow_nan=False))["standard_error"] is None
