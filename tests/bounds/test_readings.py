"""Every bound beyond InfoNCE: its value by definition, its word, its ceiling, its standard error."""

from __future__ import annotations

import json
import sys
from math import inf, log, sqrt
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "scores"))
from problems import problems
from readings import ALL, READINGS
from worlds import best_scores, gaussian_pairs

from infomax import bounds
from infomax.errors import InputError
from infomax.scores import Scores

N = 40
WORDS = {name: reading.side for name, reading in READINGS.items()}


def sample(n: int = N, seed: int = 0, backend: str = "auto") -> Scores:
    return best_scores(*gaussian_pairs(n, 2, 0.7, torch.Generator().manual_seed(seed)), 0.7, backend)


@pytest.mark.parametrize("form", ["dense", "streamed", "a matrix", "another order"])
@pytest.mark.parametrize("name", READINGS)
def test_the_value_is_the_definition_and_the_standard_error_its_derivative(name, form):
    """The influence function (Hampel 1974): the value differentiated, by autograd, in the weights of the pairs."""
    scores, reading = sample(backend=form if form in ("dense", "streamed") else "auto"), READINGS[name]
    s = scores.dense()
    if form == "a matrix":
        scores = Scores.from_dense(s)
    elif form == "another order":
        order = torch.randperm(N, generator=torch.Generator().manual_seed(1))
        scores = Scores(
            scores.anchors, scores.candidates[order], positives=order.argsort(), row_offset=scores.row_offset,
            backend="streamed",
        )  # fmt: skip
    weights = torch.full((N,), 1 / N, dtype=torch.float64, requires_grad=True)
    value = reading.weighted(s, weights)
    (influence,) = torch.autograd.grad(value, weights)
    centred = influence - influence.mean()
    found = reading.read(scores)
    assert found.value == pytest.approx(float(value.detach()), rel=1e-10, abs=1e-12)
    assert found.standard_error == pytest.approx(float((centred.square().sum() / (N - 1) / N).sqrt()), rel=1e-9)
    assert found.side == reading.side


def test_the_standard_error_of_the_interpolated_bound_is_its_spread():
    """To first order: within 4 Monte Carlo standard errors, 1/sqrt(2·150), and 10 %, of the spread over 150 samples."""
    found = [ALL["interpolated"](sample(60, seed)) for seed in range(150)]
    values, errors = (torch.tensor([getattr(f, k) for f in found]) for k in ("value", "standard_error"))
    assert float(errors.mean()) == pytest.approx(float(values.std()), rel=4 / sqrt(300) + 0.1)


@pytest.mark.parametrize("name", ALL)
def test_groups_are_what_is_independent(name):
    """With a group a pair nothing changes; with two pairs a group it does."""
    once = ALL[name](sample())
    assert ALL[name](sample(), groups=torch.arange(N)).standard_error == pytest.approx(once.standard_error, rel=1e-12)
    assert ALL[name](sample(), groups=torch.arange(N) // 2).standard_error != once.standard_error
    with pytest.raises(InputError, match="groups must have one entry a row"):
        ALL[name](sample(), groups=[1, 2])


@pytest.mark.parametrize("name", ALL)
def test_what_voids_the_word(name):
    """The reasons that void InfoNCE void these, but for those that look at true pairs alone."""
    a, b = torch.eye(6, dtype=torch.float64), torch.ones(6, 6, dtype=torch.float64)
    assert ALL[name](Scores(a, b)).side == WORDS[name]
    assert "if " in ALL[name](Scores(a, b)).assumption or WORDS[name] == "neither"
    voiding = {
        "several positives a row": {"positives": (torch.arange(6) % 5, torch.arange(6) % 5)},
        "masked": {"anchor_ids": torch.arange(6) % 5, "candidate_ids": torch.arange(6) % 5},
        "the row's own negatives": {"negatives": b[:, None]},
        "an offset reweights": {"column_offset": b[0]},
        "not among the candidates": {"positives": b},
    }
    for reason, options in voiding.items():
        scores = Scores(a, b, **options)
        if name in ("barber_agakov", "rate") and "positives a row" not in reason:
            assert ALL[name](scores).side == WORDS[name]
        elif name in ("interpolated", "leave_one_out") and not (
            "offset" in reason or (name == "leave_one_out" and "own" in reason)
        ):
            with pytest.raises(InputError):
                ALL[name](scores)
        else:
            found = ALL[name](scores)
            assert (found.side, reason in found.assumption) == ("neither", True)


@pytest.mark.parametrize("name", ["club", "leave_one_out", "rate"])
def test_a_fitted_conditional_is_no_upper_bound(name):
    """The word is for a conditional that is known, and the caller must say so."""
    more = [torch.zeros(6)] if name == "rate" else []
    found = getattr(bounds, name)(Scores(torch.eye(6), torch.eye(6)), *more)
    assert found.side == "neither"
    assert "fitted" in found.assumption


def test_ceilings():
    """No matrix of scores reads more; where there is a ceiling, some matrix reaches it."""
    n = 6
    sure = Scores.from_dense(60.0 * torch.eye(n, dtype=torch.float64) - 30.0)
    for alpha in (0.2, 0.9):
        found = bounds.interpolated(sure, 0.0, alpha=alpha)
        assert found.ceiling == pytest.approx(log((n - 1) / alpha) + 1)
        assert found.value == pytest.approx(found.ceiling, abs=1e-9)
    assert bounds.interpolated(sure, 0.0, alpha=1.0).ceiling == pytest.approx(log(n - 1))
    assert bounds.interpolated(sure, 0.0, alpha=1.0).value == pytest.approx(log(n - 1), abs=1e-9)
    assert bounds.interpolated(sure, 0.0, alpha=0.0).ceiling == inf
    assert bounds.jensen_shannon(sure).value == pytest.approx(bounds.jensen_shannon(sure).ceiling, abs=1e-9)
    for name in set(READINGS) - {"jensen_shannon", "interpolated"}:
        assert ALL[name](sure).ceiling == inf
    for name in ("donsker_varadhan", "nwj", "smile", "club", "leave_one_out"):
        surer = Scores.from_dense(torch.where(torch.eye(n) > 0, 1000.0, -30.0).double())
        assert ALL[name](surer).value > 900


@pytest.mark.parametrize("name", ALL)
def test_plain_data_is_strict_json(name):
    found = ALL[name](sample()).to_dict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found


@pytest.mark.parametrize("kind", [k for k in problems() if k != "square"])
@pytest.mark.parametrize("name", ["donsker_varadhan", "nwj", "jensen_shannon", "smile", "club"])
def test_other_kinds_of_scores_are_read_row_by_row(name, kind):
    """Masks, labels, own negatives: each row against its own chance pairs, and both forms agree; no word is claimed."""
    problem = problems()[kind]
    dense, streamed = (ALL[name](problem.scores(backend)) for backend in ("dense", "streamed"))
    assert dense.value == pytest.approx(streamed.value, rel=1e-9)
    assert dense.standard_error == pytest.approx(streamed.standard_error, rel=1e-8)
    assert dense.side == "neither"
    s, positive, live = (x.detach() for x in problem.full())
    chance = (live & ~positive).double()
    rows = [(chance * h).sum(1) / chance.sum(1) for h in (s.exp(), s)]
    true = (s * positive).sum(1) / positive.sum(1)
    if name == "nwj":
        assert dense.value == pytest.approx(float((true - rows[0] / torch.e).mean()), rel=1e-9)
    if name == "club":
        assert dense.value == pytest.approx(float((true - rows[1]).mean()), rel=1e-9)
    if name == "donsker_varadhan":
        assert dense.value == pytest.approx(float(true.mean() - rows[0].mean().log()), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda s: bounds.tuba(s, torch.zeros(3)),
            r"log_baseline must be a number or a floating point vector of shape \(40,\)",
        ),
        (lambda s: bounds.flo(s, torch.zeros(40, dtype=torch.int64)), "log_ratio must be a number or a floating"),
        (lambda s: bounds.rate(s, torch.zeros(40, 1)), "log_marginal must be"),
        (lambda s: bounds.smile(s, clip=0.0), "clip must be positive"),
        (lambda s: bounds.interpolated(s, alpha=1.5), "alpha must lie between 0"),
        (lambda s: bounds.barber_agakov(s, inf), "entropy must be H"),
    ],
)
def test_bad_arguments_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(sample())


def test_rows_without_chance_pairs_are_refused():
    alone = Scores(torch.eye(1, dtype=torch.float64), torch.eye(1, dtype=torch.float64))
    for name in set(ALL) - {"barber_agakov", "rate"}:
        with pytest.raises(InputError, match=r"no negative|no chance pair|at least 2 pairs"):
            ALL[name](alone)
