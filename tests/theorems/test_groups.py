"""Pairs that are independent only from group to group: what the held-out value is then a bound on, by exact sums.

A group is two pairs: x is a fair bit, the other anchor is 1 - x, and each candidate is its anchor, flipped one time in ten. So
both candidates of a group tell of x, and a row's own group is among its candidates.
"""

from __future__ import annotations

from itertools import product
from math import log

import pytest
import torch

from infomax.bounds import info_nce
from infomax.scores import Scores

FLIP = 0.1
STATES = [
    (x, y, z, 0.5 * (FLIP if y != x else 1 - FLIP) * (FLIP if z == x else 1 - FLIP))
    for x, y, z in product((0, 1), repeat=3)
]  # anchors x and 1 - x, candidates y and z, probability


def expected(critic: torch.Tensor, count: int) -> float:
    """The expectation of the value of so many groups, critic[x, y] being the score."""
    total = 0.0
    for groups in product(STATES, repeat=count):
        x = torch.tensor([bit for state in groups for bit in (state[0], 1 - state[0])])
        y = torch.tensor([bit for state in groups for bit in state[1:3]])
        scores = Scores.from_dense(critic[x][:, y])
        weight = torch.tensor([state[3] for state in groups], dtype=torch.float64).prod()
        total += float(weight) * info_nce(scores, groups=torch.arange(count).repeat_interleave(2)).value
    return total


def entropy(p: float) -> float:
    return -p * log(p) - (1 - p) * log(1 - p)


OF_ITS_PARTNER = log(2) - entropy(FLIP)
DIFFER = FLIP**2 + (1 - FLIP) ** 2  # the two candidates of a group differ, and then tell more
OF_ITS_GROUP = DIFFER * (log(2) - entropy(FLIP**2 / DIFFER))
BEST = 2 * log((1 - FLIP) / FLIP) * torch.eye(2, dtype=torch.float64)


def test_one_group_reaches_what_an_anchor_tells_of_its_group():
    assert expected(BEST, 1) == pytest.approx(OF_ITS_GROUP, abs=1e-12)
    assert OF_ITS_GROUP > OF_ITS_PARTNER + 0.1  # so it is no bound on what an anchor tells of its partner alone


@pytest.mark.parametrize("count", [1, 2])
def test_no_critic_exceeds_what_an_anchor_tells_of_its_group(count):
    rng = torch.Generator().manual_seed(0)
    critics = [BEST, BEST / 2, *(3 * torch.randn(2, 2, generator=rng, dtype=torch.float64) for _ in range(4))]
    values = [expected(critic, count) for critic in critics]
    assert max(values) <= OF_ITS_GROUP + 1e-12
    assert max(values) > OF_ITS_PARTNER - 0.05  # and it is no idle bound
