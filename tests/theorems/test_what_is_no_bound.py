"""Near-theorems that are false, shown false: were a positive to leak out of the sum, these numbers would tell.

They are why `bounds` and `readout` refuse the words "lower bound" to anything but plain InfoNCE.
"""

from __future__ import annotations

import sys
from math import log
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from finite import as_matrix, information, pmi, tables, tuples

from infomax.objectives import info_nce
from infomax.scores import Scores


def test_without_the_positive_in_the_sum_there_is_no_ceiling():
    """The decoupled loss (Yeh et al. 2022, arXiv:2110.06848) exceeds log K and I; InfoNCE of these scores does not."""
    joint = tables()["square"]
    x, ys, p = tuples(joint, 3)
    scores = as_matrix(20 * pmi(joint), x, ys)
    decoupled = log(3) - float((p * (scores.logsumexp(positives="out") - scores.positive())).sum())
    plain = log(3) - float((p * info_nce(scores)).sum())
    assert plain <= min(log(3), information(joint))
    assert decoupled > log(3)
    assert decoupled > information(joint) + 1


def test_without_its_equals_a_row_may_tell_more_than_there_is():
    """X = Y, one of two symbols: I = log 2. A sure critic of 5 candidates with equal ones masked reads more on average;
    with none masked it stays below."""
    critic = 50 * torch.eye(2, dtype=torch.float64)
    x, masked, plain = torch.tensor([0]), [], []
    for number in range(1, 16):  # which of the four negatives are the other symbol; at least one
        y = torch.tensor([0] + [number >> j & 1 for j in range(4)])
        vectors = torch.eye(2, dtype=torch.float64)[y]
        without_equals = Scores(critic[x], vectors, anchor_ids=x, candidate_ids=y)
        masked.append(without_equals.counts().double().log() - info_nce(without_equals))
        plain.append(log(5) - info_nce(Scores(critic[x], vectors)))
    assert float(torch.cat(masked).mean()) > log(2) + 0.3
    assert float(torch.cat(plain).sum()) / 16 <= log(2)


def test_negatives_that_are_easier_than_chance_tell_too_much():
    """X and Y independent, I = 0: negatives of another law than the marginal make a critic of y alone look informed."""
    marginal, elsewhere = torch.tensor([0.9, 0.1]).double(), torch.tensor([0.1, 0.9]).double()
    ys = torch.tensor([[i, j] for i in range(2) for j in range(2)])
    critic = torch.tensor([[3.0, 0.0]], dtype=torch.float64)
    losses = info_nce(as_matrix(critic, torch.zeros(4, dtype=torch.int64), ys))
    assert log(2) - float((marginal[ys[:, 0]] * elsewhere[ys[:, 1]] * losses).sum()) > 0.2
    assert log(2) - float((marginal[ys[:, 0]] * marginal[ys[:, 1]] * losses).sum()) < 0
