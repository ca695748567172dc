"""Pairs of a group are no independent draws: what rests on chance pairs is then no bound, and does lie on the wrong side."""

from __future__ import annotations

from functools import partial
from math import log

import numpy as np
import pytest
import torch

from infomax import bounds
from infomax.errors import InputError
from infomax.scores import Scores

OF_CHANCE_PAIRS = {
    "nwj": lambda s, **g: bounds.nwj(s.with_row_offset(torch.ones(len(s.anchors), dtype=torch.float64)), **g),
    "tuba": partial(bounds.tuba, log_baseline=0.0),
    "flo": lambda s, **g: bounds.flo(s, s.positive(), **g),
    "interpolated": bounds.interpolated,
    "jensen_shannon": bounds.jensen_shannon,
    "leave_one_out": partial(bounds.leave_one_out, exact=True),
    "club": partial(bounds.club, exact=True),
}
INFORMATION = log(2) + 0.9 * log(0.9) + 0.1 * log(0.1)


def sample(rng) -> tuple[Scores, torch.Tensor]:
    """Four groups of two pairs, y complementary within a group, x = y flipped with probability 0.1; the scores are PMI."""
    b = rng.integers(2, size=4)
    y = np.stack([b, 1 - b], 1).ravel()
    x = y ^ (rng.random(8) < 0.1)
    pmi = np.log(np.where(x[:, None] == y[None], 1.8, 0.2))
    return Scores.from_dense(torch.tensor(pmi)), torch.tensor(np.repeat(np.arange(4), 2))


@pytest.mark.parametrize("name", OF_CHANCE_PAIRS)
def test_with_groups_it_is_no_bound(name):
    scores, groups = sample(np.random.default_rng(0))
    bound = OF_CHANCE_PAIRS[name]
    alone, grouped = bound(scores), bound(scores, groups=groups)
    assert grouped.side == "neither"
    assert "chance pairs within a group are no draws" in grouped.assumption
    assert alone.side in ("lower", "upper")
    assert grouped.value == alone.value
    apart = bound(scores, groups=torch.arange(8))
    assert (apart.side, apart.assumption) == (alone.side, alone.assumption)
    assert apart.standard_error == pytest.approx(alone.standard_error)


def test_and_rightly_so():
    """NWJ of the true PMI lies above the information; InfoNCE, which says what it bounds, does not."""
    rng = np.random.default_rng(1)
    drawn = [sample(rng)[0] for _ in range(2000)]
    nwj = np.array([OF_CHANCE_PAIRS["nwj"](s).value for s in drawn])
    assert nwj.mean() - 5 * nwj.std() / len(nwj) ** 0.5 > INFORMATION
    nce = np.array([bounds.info_nce(s).value for s in drawn])
    assert nce.mean() - 3 * nce.std() / len(nce) ** 0.5 <= INFORMATION


def test_names_are_no_groups():
    scores, _ = sample(np.random.default_rng(0))
    for bound in (bounds.info_nce, bounds.nwj):
        with pytest.raises(InputError, match="groups must be integers, one a row"):
            bound(scores, groups=list("abcdefgh"))
        with pytest.raises(InputError, match="one entry a row"):
            bound(scores, groups=torch.arange(3))


def test_a_noiseless_channel_is_read_at_alpha_1():
    scores = torch.full((4, 4), -1e30, dtype=torch.float64).fill_diagonal_(log(4))
    assert bounds.interpolated(Scores.from_dense(scores), alpha=1.0).value == pytest.approx(log(3))
