"""The readout: each field is what its definition gives on the dense matrix; its words are true."""

from __future__ import annotations

import json
import sys
from math import exp, log
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "scores"))
sys.path.insert(0, str(Path(__file__).parent))
from problems import problems
from worlds import best_scores, gaussian_pairs, information

import infomax
from infomax.bounds import Readout, info_nce, readout
from infomax.scores import Scores

KINDS = list(problems())


@pytest.mark.parametrize("backend", ["dense", "streamed"])
@pytest.mark.parametrize("kind", KINDS)
def test_every_field_by_its_definition(kind, backend):
    problem = problems()[kind]
    with torch.no_grad():
        s, positive, live = problem.full()
    found, bound, negative = readout(problem.scores(backend)), info_nce(problem.scores(backend)), live & ~positive
    w = torch.where(negative, s.exp(), 0.0)
    best = s.masked_fill(~positive, -torch.inf).amax(1)
    row_mean = (s * positive).sum(1) / positive.sum(1)
    want = {
        "loss": float((torch.logsumexp(s.masked_fill(~live, -torch.inf), 1) - row_mean).mean()),
        "ceiling": float(live.sum(1).double().log().mean()),
        "bound": bound.value,
        "standard_error": bound.standard_error,
        "saturation": bound.value / bound.ceiling,
        "top1": float((best > s.masked_fill(~negative, -torch.inf).amax(1)).double().mean()),
        "effective_negatives": float((w.sum(1).square() / w.square().sum(1)).mean()),
        "mean_positive": float(row_mean.mean()),
        "mean_negative": float(s[negative].mean()),
        "candidates": float(live.sum(1).double().mean()),
        "bits": bound.value / log(2),
    }
    for name, value in want.items():
        assert getattr(found, name) == pytest.approx(value, rel=1e-9, abs=1e-10), name
    assert found.rows == len(s)
    assert found.reason == bound.assumption
    assert found.side == ("lower bound" if kind == "square" else "score")


def test_the_reason_speaks_of_groups_where_there_are_any():
    scores = Scores(torch.eye(4), torch.eye(4))
    pairs, groups = "if the pairs are independent draws", "if the groups are independent draws"
    assert pairs in readout(scores).reason
    assert pairs in readout(scores, groups=[3, 1, 0, 2]).reason  # each pair a group of its own
    assert groups in readout(scores, groups=torch.tensor([0, 0, 1, 2])).reason
    assert "of all candidates of its group" in readout(scores, groups=[7, 7, 7, 7]).reason
    masked = Scores(torch.eye(4), torch.eye(4), anchor_ids=[0, 0, 1, 2], candidate_ids=[0, 0, 1, 2])
    assert readout(masked, groups=[0, 0, 1, 2]).reason.startswith("no bound: false negatives")


def test_effective_negatives_at_both_ends():
    """All alike: all of them are heard. One that drowns the others: one."""
    zeros = torch.zeros(9, 2)
    assert readout(Scores(zeros, zeros)).effective_negatives == pytest.approx(8)
    loud = torch.zeros(9, 9)
    loud[:, 4] = 50.0
    loud[4, 3] = 50.0
    assert readout(Scores.from_dense(loud)).effective_negatives == pytest.approx(1)


def test_ties_are_misses():
    zeros = torch.zeros(4, 2)
    assert readout(Scores(zeros, zeros)).top1 == 0
    assert readout(Scores(torch.eye(4), torch.eye(4))).top1 == 1


def test_nothing_learned_is_said():
    """A constant critic, and one whose value is within two standard errors of 0."""
    zeros = torch.zeros(16, 2)
    (warning,) = readout(Scores(zeros, zeros)).warnings
    assert warning.startswith("the loss sits at its ceiling, log 16 = 2.773 nats: nothing is learned yet")
    rng = torch.Generator().manual_seed(0)
    noise = readout(Scores(0.02 * torch.randn(64, 4, generator=rng), torch.randn(64, 4, generator=rng)))
    assert abs(noise.bound) <= 2 * noise.standard_error
    assert "nothing is learned yet" in noise.warnings[0]


def test_worse_than_a_constant_is_said():
    (warning,) = readout(Scores(-9 * torch.eye(5), torch.eye(5))).warnings
    assert warning.startswith("the loss is above its ceiling, log 5 = 1.609 nats, which a constant critic would reach")
    rng = torch.Generator().manual_seed(0)
    z = torch.nn.functional.normalize(torch.randn(200, 16, generator=rng), dim=1)
    q = torch.nn.functional.normalize(z + 0.35 * torch.randn(200, 16, generator=rng), dim=1)
    cold = readout(Scores(z, q, temperature=0.005))
    assert cold.top1 > 0.2
    assert "too sure of these pairs" in cold.warnings[0]
    assert not readout(Scores(z, q, temperature=0.05)).warnings


def test_too_few_candidates_is_said():
    (warning,) = readout(Scores(30 * torch.eye(16), torch.eye(16))).warnings
    assert (
        warning
        == "the value sits at its ceiling, log 16 = 2.773 nats: compare with more candidates to see more information"
    )
    one_row = readout(Scores(30 * torch.eye(1, 16), torch.eye(16)))  # its standard error is not a number
    assert "compare with more candidates" in one_row.warnings[0]


@pytest.mark.parametrize(("share", "warned"), [(0.93, False), (0.97, True)])
def test_the_ceiling_is_near_within_a_twentieth(share, warned):
    """Every row alike, so no standard error: diagonal t, else 0, with t such that the value is that share of log 16."""
    loss = (1 - share) * log(16)
    t = -log((exp(loss) - 1) / 15)
    found = readout(Scores.from_dense(t * torch.eye(16, dtype=torch.float64)))
    assert found.saturation == pytest.approx(share, abs=1e-9)
    assert found.standard_error < 1e-9
    assert bool(found.warnings) is warned


def test_what_is_well_measured_needs_no_warning():
    """A Gaussian world of 1.02 nats seen by its best critic: the value is near the truth, and far from both ceilings."""
    scores = best_scores(*gaussian_pairs(400, 2, 0.8, torch.Generator().manual_seed(0)), 0.8)
    found = readout(scores)
    assert found.warnings == ()
    assert found.bound == pytest.approx(information(2, 0.8), abs=3 * found.standard_error)
    assert found.side == "lower bound"
    assert str(found).endswith("lower bound")


def test_its_sentence_has_the_numbers():
    zeros = torch.zeros(4, 2)
    first, second = str(readout(Scores(zeros, zeros))).splitlines()
    assert first == "0.000 nats (0.000 bits) of at most 1.386 nats, standard error 0.000: lower bound"
    assert second.startswith("warning: the loss sits at its ceiling, log 4")
    barely = Readout(**{**vars(readout(Scores(zeros, zeros))), "bound": -1e-9})
    assert "-0.000" not in str(barely)
    masked = readout(Scores(zeros, zeros, anchor_ids=[0, 0, 1, 2], candidate_ids=[0, 0, 1, 2]))
    assert str(masked).splitlines()[0].endswith(": score")


def test_plain_data_is_strict_json():
    found = readout(Scores(torch.eye(4), torch.eye(4)))
    data = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert data["bits"] == pytest.approx(found.bits)
    assert data["side"] == "lower bound"
    one_row = readout(Scores(torch.eye(1, 4), torch.eye(4))).to_dict()
    assert json.loads(json.dumps(one_row, allow_nan=False))["standard_error"] is None
    assert infomax.readout is readout
