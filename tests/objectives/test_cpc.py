"""Contrastive predictive coding: the published definition written plainly; what each kind of negatives lets one read."""

from __future__ import annotations

from math import log

import pytest
import torch

from infomax import bounds
from infomax.errors import InputError
from infomax.objectives import cpc, future_scores, jensen_shannon

B, T, K, D = 4, 6, 2, 3
RNG = torch.Generator().manual_seed(0)
PREDICTIONS = torch.randn(B, T, K, D, generator=RNG, dtype=torch.float64)
CODES = torch.randn(B, T, D, generator=RNG, dtype=torch.float64)


def plain(predictions, codes, step, negatives):
    """Equation 4, a prediction at a time."""
    losses = []
    for b in range(B):
        for t in range(T - step):
            others = {
                "batch": [(i, t + step) for i in range(B)],
                "time": [(b, later) for later in range(step, T)],
                "both": [(i, later) for i in range(B) for later in range(step, T)],
            }[negatives]
            told = predictions[b, t, step - 1]
            scores = torch.stack([told @ codes[i, later] for i, later in others])
            losses.append(scores.exp().sum().log() - told @ codes[b, t + step])
    return torch.stack(losses).mean()


@pytest.mark.parametrize("negatives", ["batch", "time", "both"])
def test_value_and_gradients_are_those_of_the_definition(negatives):
    inputs = [PREDICTIONS.clone().requires_grad_(), CODES.clone().requires_grad_()]
    expected = torch.stack([plain(*inputs, step, negatives) for step in (1, 2)])
    losses = cpc(*inputs, negatives=negatives)
    torch.testing.assert_close(losses, expected, rtol=1e-12, atol=0)
    weights = torch.tensor([1.0, 3.0], dtype=torch.float64)
    for got, want in zip(*(torch.autograd.grad(x @ weights, inputs) for x in (losses, expected)), strict=True):
        torch.testing.assert_close(got, want, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("negatives", ["batch", "time", "both"])
def test_temperature_divides_the_scores(negatives):
    colder = cpc(PREDICTIONS, CODES, temperature=0.5, negatives=negatives)
    torch.testing.assert_close(colder, cpc(2 * PREDICTIONS, CODES, negatives=negatives))


def test_any_objective_of_scores_can_take_the_place_of_info_nce():
    losses = cpc(torch.zeros(B, T, K, D), torch.zeros(B, T, D), objective=jensen_shannon)
    torch.testing.assert_close(losses, torch.full((K,), log(4)))


def test_every_code_stands_once_with_its_own_prediction():
    """Predictions that are the codes they tell: each kind of table has its largest cell on the diagonal."""
    codes = torch.randn(B, T, 64, generator=RNG)
    for step in (1, 2):
        predictions = torch.stack([torch.roll(codes, -k, 1) for k in (1, 2)], 2)
        for negatives, tables in (("batch", T - step), ("time", B), ("both", 1)):
            found = future_scores(predictions, codes, step, negatives=negatives)
            assert len(found) == tables
            assert all((scores.rank() == 0).all() for scores in found)


def autoregression(rho, sequences, moments, rng):
    """(B, T) stationary, unit variance: I(x_≤t; x_t+k) = -log(1 - rho^2k) / 2."""
    x = torch.randn(sequences, moments, generator=rng, dtype=torch.float64)
    for t in range(1, moments):
        x[:, t] = rho * x[:, t - 1] + (1 - rho**2) ** 0.5 * x[:, t]
    return x


def truth(rho, step):
    return -0.5 * log(1 - rho ** (2 * step))


def optimal(x, rho, steps):
    """Predictions (B, T, steps, 2) and codes (x, x²) (B, T, 2) whose products are the PMI, up to a number a row."""
    told = []
    for k in range(1, steps + 1):
        spread = 1 - rho ** (2 * k)
        told.append(torch.stack([rho**k * x / spread, torch.full_like(x, 0.5 - 0.5 / spread)], 2))
    return torch.stack(told, 2), torch.stack([x, x**2], 2)


@pytest.mark.parametrize("step", [1, 3])
def test_the_batch_bound_of_the_best_critic_is_the_known_information(step):
    rho = 0.9
    codes = optimal(autoregression(rho, 600, 8, torch.Generator().manual_seed(1)), rho, 3)
    found = [bounds.info_nce(s) for s in future_scores(*codes, step, negatives="batch")]
    assert all(bound.side == "lower" for bound in found)
    mean, error = (sum(getattr(b, name) for b in found) / len(found) for name in ("value", "standard_error"))
    assert abs(mean - truth(rho, step)) < 4 * error  # `error` as though the moments were one: too large, if anything
    assert error < 0.05
    loss = cpc(*codes, negatives="batch")[step - 1]
    assert log(600) - loss.item() == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("negatives", ["batch", "time", "both"])
def test_no_reading_exceeds_log_of_the_candidates(negatives):
    codes = 30 * torch.eye(B * T).view(B, T, B * T)
    predictions = torch.stack([torch.roll(codes, -1, 1)], 2)
    candidates = {"batch": B, "time": T - 1, "both": B * (T - 1)}[negatives]
    reading = log(candidates) - cpc(predictions, codes, negatives=negatives).item()
    assert log(candidates) - 1e-6 < reading <= log(candidates)


@pytest.mark.parametrize("negatives", ["time", "both"])
def test_codes_of_other_moments_void_the_bound(negatives):
    """Independent codes: the past tells nothing of what comes. But it tells which candidates are past, and rules them out."""
    codes = torch.eye(B * T, dtype=torch.float64).view(B, T, B * T)  # all codes differ, whatever their order
    ruled_out = -50 * codes.cumsum(1)
    reading = log({"time": T - 1, "both": B * (T - 1)}[negatives]) - cpc(
        ruled_out[:, :, None], codes, negatives=negatives
    )
    assert reading.item() > 0.1
    assert log(B) - cpc(ruled_out[:, :, None], codes, negatives="batch").item() <= 1e-12


@pytest.mark.parametrize(
    ("predictions", "codes", "said"),
    [
        (torch.zeros(2, 4, 3), torch.zeros(2, 4, 3), r"\(B, T, K, d\)"),
        (torch.zeros(2, 4, 1, 3), torch.zeros(2, 4, 2), r"must be of codes \(2, 4, 3\)"),
        (torch.zeros(2, 4, 4, 3), torch.zeros(2, 4, 3), "the last step must fall into the sequence"),
        ("words", torch.zeros(2, 4, 3), "got str"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(predictions, codes, said):
    with pytest.raises(InputError, match=said):
        cpc(predictions, codes)


def test_an_unknown_kind_and_an_unpredicted_step_are_refused():
    with pytest.raises(InputError, match="negatives"):
        cpc(PREDICTIONS, CODES, negatives="all")
    with pytest.raises(InputError, match="between 1 and the 2 steps"):
        future_scores(PREDICTIONS, CODES, 3)


def test_one_sequence_has_no_negatives_in_the_batch():
    with pytest.raises(InputError, match="negative"):
        cpc(PREDICTIONS[:1], CODES[:1], negatives="batch")
