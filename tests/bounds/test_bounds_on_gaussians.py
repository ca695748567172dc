"""Bounds on Gaussian samples against closed forms: means over independent samples, within 4 of their own standard errors."""

from __future__ import annotations

import sys
from collections.abc import Callable
from math import exp, log, sqrt
from pathlib import Path

import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))
from worlds import best_scores, gaussian_pairs, information

from infomax import bounds
from infomax.critics import gaussian_conditional
from infomax.scores import Scores

D, RHO, N, TIMES = 2, 0.6, 100, 100
TRUTH = information(D, RHO)
UPPER = D * RHO**2 / (1 - RHO**2)


def pmi(x: Tensor, y: Tensor) -> Scores:
    """log p(x, y) / p(x) p(y) itself."""
    offset = -(RHO**2) / (2 * (1 - RHO**2)) * x.square().sum(1) - D / 2 * log(1 - RHO**2)
    return best_scores(x, y, RHO).with_row_offset(offset)


def conditional(x: Tensor, y: Tensor, rho: float = RHO, variance: float = 1 - RHO**2) -> Scores:
    """log N(y; rho x, variance), the conditional itself by default."""
    return gaussian_conditional(rho * x, torch.full_like(x, log(variance)), y)


def log_normal(y: Tensor, variance: float) -> Tensor:
    return (-y.square() / (2 * variance) - log(2 * torch.pi * variance) / 2).sum(1)


def below(rho: float, variance: float) -> float:
    """E KL(p(y|x) || N(rho x, variance))."""
    return D / 2 * (log(variance / (1 - RHO**2)) + (1 - RHO**2 + (rho - RHO) ** 2) / variance - 1)


def mean_and_error(read: Callable[[Tensor, Tensor], bounds.Bound]) -> tuple[float, float, float]:
    """Mean value over samples, its standard error, and the mean of the standard errors that were told."""
    found = [read(*gaussian_pairs(N, D, RHO, torch.Generator().manual_seed(seed))) for seed in range(TIMES)]
    values = torch.tensor([f.value for f in found], dtype=torch.float64)
    told = torch.tensor([f.standard_error for f in found], dtype=torch.float64)
    return float(values.mean()), float(values.std()) / sqrt(TIMES), float(told.mean())


EQUAL = {
    "nwj of PMI + 1": (lambda x, y: bounds.nwj(pmi(x, y).with_row_offset(torch.ones(N))), TRUTH),
    "jensen_shannon_nwj of PMI": (lambda x, y: bounds.jensen_shannon_nwj(pmi(x, y)), TRUTH),
    "nwj of PMI": (lambda x, y: bounds.nwj(pmi(x, y)), TRUTH - exp(-1)),
    "tuba of PMI + log a": (lambda x, y: bounds.tuba(pmi(x, y).with_row_offset(x[:, 0]), x[:, 0]), TRUTH),
    "flo of PMI + c(x)": (
        lambda x, y: bounds.flo(pmi(x, y).with_row_offset(x.square().sum(1)), pmi(x, y).positive()),
        TRUTH,
    ),
    "club": (lambda x, y: bounds.club(conditional(x, y), exact=True), UPPER),
    "club of PMI": (lambda x, y: bounds.club(pmi(x, y), exact=True), UPPER),
    "rate with the marginal": (lambda x, y: bounds.rate(conditional(x, y), log_normal(y, 1.0), exact=True), TRUTH),
    "rate with a wider one": (
        lambda x, y: bounds.rate(conditional(x, y), log_normal(y, 2.0), exact=True),
        TRUTH + D / 2 * (log(2) + 1 / 2 - 1),
    ),
    "barber_agakov": (
        lambda x, y: bounds.barber_agakov(conditional(x, y), D / 2 * log(2 * torch.pi * exp(1))),
        TRUTH,
    ),
    "barber_agakov of another": (
        lambda x, y: bounds.barber_agakov(conditional(x, y, 0.3, 0.9), D / 2 * log(2 * torch.pi * exp(1))),
        TRUTH - below(0.3, 0.9),
    ),
}


@pytest.mark.parametrize("name", EQUAL)
def test_closed_forms(name):
    """The mean is the closed form, and the standard errors that were told are, on average, the spread of the values: that spread
    over T values has a relative error of about 1/sqrt(2T), more for heavy tails; 4 of them and 10 % are allowed."""
    read, want = EQUAL[name]
    mean, error, told = mean_and_error(read)
    assert mean == pytest.approx(want, abs=4 * error)
    assert error * 4 < 0.12
    assert told == pytest.approx(error * sqrt(TIMES), rel=4 / sqrt(2 * TIMES) + 0.1)


def test_sides():
    """From six pairs a sample, each beside a reading of the same pairs that is I on average: leave-one-out and
    Donsker-Varadhan are too high, the interpolated bound is below."""

    def mean_pmi(x: Tensor, y: Tensor) -> float:
        return float(pmi(x, y).positive().mean())

    above = {
        "leave_one_out": lambda x, y: bounds.leave_one_out(conditional(x, y), exact=True).value - mean_pmi(x, y),
        "donsker_varadhan": lambda x, y: (
            bounds.donsker_varadhan(pmi(x, y)).value - bounds.jensen_shannon_nwj(pmi(x, y)).value
        ),
        "interpolated": lambda x, y: mean_pmi(x, y) - bounds.interpolated(pmi(x, y), -1.0, alpha=0.5).value,
    }
    samples = [gaussian_pairs(6, D, RHO, torch.Generator().manual_seed(seed)) for seed in range(150)]
    for name, of in above.items():
        values = torch.tensor([of(x, y) for x, y in samples], dtype=torch.float64)
        error = float(values.std()) / sqrt(len(samples))
        assert 0 < float(values.mean()) - 4 * error < 0.3, name


def test_club_with_a_bounded_variance_falls_below_the_information():
    """A conditional whose log-variance cannot go below -1, fitted as well as it can be: 2·rho²·e/2 < I once rho is near 1."""
    rho = 0.9999
    x, y = gaussian_pairs(2000, 1, rho, torch.Generator().manual_seed(0))
    found = bounds.club(gaussian_conditional(rho * x, torch.full_like(x, -1.0), y))
    assert found.value == pytest.approx(rho**2 * exp(1), abs=4 * found.standard_error)
    assert found.value + 4 * found.standard_error < information(1, rho)
    assert found.side == "neither"


def test_smile_may_exceed_the_information():
    """A critic that is too sure, with its normaliser clipped."""
    x, y = gaussian_pairs(2000, D, 0.9, torch.Generator().manual_seed(0))
    found = bounds.smile(best_scores(3 * x, y, 0.9), clip=1.0)
    assert found.value - 4 * found.standard_error > information(D, 0.9)
