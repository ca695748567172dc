"""The predictive context: nothing of the future reaches a prediction; its start; and what it learns of a known process."""

from __future__ import annotations

import pytest
import torch

from infomax.encoders import PredictiveContext
from infomax.errors import InputError

CODES = torch.randn(3, 7, 4, generator=torch.Generator().manual_seed(0))


def seeded(seed=0):
    return PredictiveContext(4, 6, 2, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("moment", [0, 3, 6])
def test_a_prediction_sees_the_past_and_not_the_future(moment):
    model, changed = seeded(), CODES.clone()
    changed[:, moment] += 1
    moved = (model(CODES) != model(changed)).any(3).any(2).any(0)
    assert moved.tolist() == [t >= moment for t in range(7)]


def test_steps_have_matrices_of_their_own_on_one_context():
    model = seeded()
    told, context = model(CODES), model.context(CODES)
    for step in (0, 1):
        matrix = model.ahead.weight[4 * step : 4 * (step + 1)]
        torch.testing.assert_close(told[:, :, step], context @ matrix.T)


def test_the_start_is_of_the_generator_alone():
    before = torch.get_rng_state()
    first, same, other = (seeded(seed)(CODES) for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_bad_sizes_and_codes_are_refused():
    with pytest.raises(InputError, match="must be positive; got 4, 0 and 2"):
        PredictiveContext(4, 0, 2)
    for bad in (torch.zeros(3, 7), torch.zeros(3, 7, 5), [0.0]):
        with pytest.raises(InputError, match=r"\(B, T, 4\)"):
            seeded()(bad)
