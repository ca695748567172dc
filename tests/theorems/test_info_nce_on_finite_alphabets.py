"""Theorems of InfoNCE on finite alphabets, to 1e-9: what is read as information may be read so.

Sources: van den Oord et al. 2018, arXiv:1807.03748; Poole et al. 2019, arXiv:1905.06922; Radford et al. 2021,
arXiv:2103.00020.
"""

from __future__ import annotations

import sys
from itertools import pairwise, product
from math import log
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from finite import (
    REALISATIONS,
    TOLERANCE,
    as_matrix,
    batch_loss,
    critics,
    information,
    pmi,
    population_loss,
    tables,
    tuples,
    value,
)

from infomax.objectives import info_nce
from infomax.scores import Scores

NAMES = list(tables())
DEPENDENT = [name for name in NAMES if name != "independent"]


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_no_critic_is_above_the_information_or_the_log_of_the_candidates(name, realise):
    """E[log K - loss] <= min(I, log K) for every critic (van den Oord, appendix A.1; Poole, equation 10)."""
    joint = tables()[name]
    for k in (2, 3, 4):
        most = min(information(joint), log(k))
        for critic in [*critics(joint, 10), pmi(joint)]:
            assert value(joint, critic, k, realise) <= most + TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_no_single_row_is_above_the_log_of_its_candidates(name):
    """loss >= 0, so log C - loss <= log C for each row of each sample, not only on average (section 2.3)."""
    joint = tables()[name]
    for k in (2, 4):
        x, ys, _ = tuples(joint, k)
        for critic in critics(joint, 10):
            assert (info_nce(as_matrix(critic, x, ys)) >= 0).all()


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [2, 3])
def test_the_pointwise_information_plus_any_function_of_the_anchor_is_stationary(name, k, realise):
    """The optimal critic is log p(y|x)/p(y) + c(x) (van den Oord, equation 5; Poole, section 2.3)."""
    joint = tables()[name]
    c = torch.linspace(-1.5, 2.0, len(joint), dtype=torch.float64).unsqueeze(1)
    for shift in (0.0, c):
        best = (pmi(joint) + shift).requires_grad_()
        (slope,) = torch.autograd.grad(population_loss(joint, best, k, realise), best)
        torch.testing.assert_close(slope, torch.zeros_like(slope), rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("realise", REALISATIONS)
def test_other_critics_are_not_stationary(realise):
    """The counter-test: away from its optimum, or with a function of the candidate added, the gradient is not zero."""
    joint = tables()["square"]
    for wrong in (2 * pmi(joint), -pmi(joint), pmi(joint) + torch.tensor([0.0, 1.0, 2.0]), torch.zeros_like(joint)):
        critic = wrong.clone().requires_grad_()
        (slope,) = torch.autograd.grad(population_loss(joint, critic, 3, realise), critic)
        assert slope.abs().max() > 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_nothing_beats_the_pointwise_information(name):
    """The loss is convex in the critic, so what is stationary is least: no perturbation, small or large, is lower."""
    joint = tables()[name]
    rng = torch.Generator().manual_seed(5)
    for k in (2, 4):
        least = float(population_loss(joint, pmi(joint), k))
        for size in (1e-3, 0.1, 3.0) * 4:
            step = size * torch.randn(*joint.shape, generator=rng, dtype=torch.float64)
            higher = float(population_loss(joint, pmi(joint) + step, k)) - least
            assert higher >= -1e-12
            if name == "square":
                assert higher > 1e-3 * size**2 / (1 + size)


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_a_function_of_the_anchor_changes_nothing(name, realise):
    """A softmax over candidates does not see c(x): every critic keeps its value (Poole, section 2.3)."""
    joint = tables()[name]
    c = torch.linspace(-20.0, 30.0, len(joint), dtype=torch.float64).unsqueeze(1)
    x, ys, _ = tuples(joint, 3)
    for critic in critics(joint, 6):
        torch.testing.assert_close(
            info_nce(realise(critic + c, x, ys)), info_nce(realise(critic, x, ys)), rtol=TOLERANCE, atol=TOLERANCE
        )


def test_a_row_offset_is_such_a_function_and_a_column_offset_is_not():
    """The same through the offsets of `Scores`."""
    rng = torch.Generator().manual_seed(1)
    a, b, offset = (torch.randn(*shape, generator=rng, dtype=torch.float64) for shape in ((6, 3), (6, 3), (6,)))
    plain = info_nce(Scores(a, b))
    torch.testing.assert_close(info_nce(Scores(a, b, row_offset=9 * offset)), plain, rtol=TOLERANCE, atol=TOLERANCE)
    assert (info_nce(Scores(a, b, column_offset=offset)) - plain).abs().min() > 1e-3


@pytest.mark.parametrize("backend", ["dense", "streamed"])
@pytest.mark.parametrize("constant", [0.0, 3.0, -700.0])
@pytest.mark.parametrize("count", [2, 3, 17, 1030])
def test_a_constant_critic_loses_the_log_of_its_candidates(count, constant, backend):
    """Chance level is log C: 1.386 for 4 candidates, 5.545 for 256, whatever the constant."""
    a = torch.ones(2, 1, dtype=torch.float64)
    scores = Scores(a, a.new_ones(count, 1), row_offset=a.new_full((2,), constant - 1), backend=backend)
    torch.testing.assert_close(info_nce(scores), torch.full((2,), log(count), dtype=torch.float64), rtol=1e-12, atol=0)


@pytest.mark.parametrize("backend", ["dense", "streamed"])
def test_a_constant_critic_with_masks_negatives_and_positives_of_each_row(backend):
    """C is the row's live candidates: masked ones do not count, its own negatives and positive do."""
    zeros = torch.zeros(6, 4, dtype=torch.float64)
    ids, one = torch.tensor([0, 0, 0, 1, 1, 2]), torch.arange(6)
    paired = zeros.new_zeros(6, 5, 4)
    kinds = {
        "masked": (Scores(zeros, zeros, anchor_ids=ids, candidate_ids=ids, backend=backend), [4, 4, 4, 5, 5, 6]),
        "own negatives": (Scores(zeros, zeros, negatives=paired, backend=backend), [11] * 6),
        "both": (
            Scores(zeros, zeros, negatives=paired, anchor_ids=ids, candidate_ids=ids, backend=backend),
            [9, 9, 9, 10, 10, 11],
        ),
        "own positive": (Scores(zeros, zeros, positives=zeros, backend=backend), [7] * 6),
        "own positive and negatives": (
            Scores(zeros, zeros[:0], positives=zeros, negatives=paired, backend=backend),
            [6] * 6,
        ),
        "labels": (Scores(zeros, zeros, positives=(ids, ids), backend=backend), [6] * 6),
        "labels without the item itself": (
            Scores(zeros[:5], zeros, positives=(ids[:5], ids), anchor_ids=one[:5], candidate_ids=one, backend=backend),
            [5] * 5,
        ),
    }
    for name, (scores, candidates) in kinds.items():
        want = torch.tensor(candidates).double().log()
        torch.testing.assert_close(info_nce(scores), want, rtol=1e-12, atol=0, msg=lambda m, name=name: f"{name}: {m}")
        torch.testing.assert_close(scores.counts().double().log(), want)


@pytest.mark.parametrize("name", DEPENDENT)
def test_more_candidates_tell_more(name):
    """At the optimal critic the value grows with K towards I, always below it (van den Oord, section 2.3)."""
    joint = tables()[name]
    values = [value(joint, pmi(joint), k) for k in (2, 3, 4, 5)]
    assert all(later > earlier + 1e-4 for earlier, later in pairwise(values))
    assert values[-1] < information(joint)
    gaps = [information(joint) - v for v in values]
    assert gaps[-1] < 0.75 * gaps[0]


def test_independence_is_worth_nothing():
    """I = 0: the best value is 0 for every K, and every critic that looks at the pair is below it."""
    joint = tables()["independent"]
    for k in (2, 3, 4, 5):
        assert abs(value(joint, pmi(joint), k)) < TOLERANCE
        assert all(value(joint, critic, k) < 0 for critic in critics(joint, 4))


@pytest.mark.parametrize("name", ["square", "wide", "holes", "deterministic"])
def test_negatives_in_the_batch_are_draws_from_the_marginal(name):
    """The mean loss of a batch of K independent pairs has the expectation of one positive with K - 1 marginal draws."""
    joint = tables()[name]
    for critic in critics(joint, 2):
        in_batch = float(batch_loss(joint, critic, 2, symmetric=False))
        assert in_batch == pytest.approx(float(population_loss(joint, critic, 2)), abs=TOLERANCE)
    if name == "wide":
        three = float(batch_loss(joint, critics(joint, 1)[0], 3, symmetric=False))
        assert three == pytest.approx(float(population_loss(joint, critics(joint, 1)[0], 3)), abs=TOLERANCE)


@pytest.mark.parametrize("name", ["square", "wide", "holes", "deterministic"])
def test_the_symmetric_form_averages_two_lower_bounds(name):
    """CLIP's loss: both directions bound I(X; Y), so their mean does (Radford, figure 3; Poole, equation 10, twice)."""
    joint = tables()[name]
    for critic in [*critics(joint, 4), pmi(joint)]:
        symmetric = float(batch_loss(joint, critic, 2, symmetric=True))
        forth, back = (float(population_loss(p, f, 2)) for p, f in ((joint, critic), (joint.t(), critic.t())))
        assert symmetric == pytest.approx((forth + back) / 2, abs=TOLERANCE)
        assert log(2) - symmetric <= min(information(joint), log(2)) + TOLERANCE


def test_the_symmetric_form_knows_its_optimum_up_to_one_constant():
    """PMI + constant is stationary and best; a function of the anchor, unseen one way, costs the other way."""
    joint = tables()["wide"]
    best = pmi(joint).requires_grad_()
    loss = batch_loss(joint, best, 2, symmetric=True)
    (slope,) = torch.autograd.grad(loss, best)
    least = loss.detach()
    torch.testing.assert_close(slope, torch.zeros_like(slope), rtol=0, atol=TOLERANCE)
    shifted = batch_loss(joint, pmi(joint) + 7.0, 2, symmetric=True)
    torch.testing.assert_close(shifted, least, rtol=0, atol=TOLERANCE)
    c = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    assert float(batch_loss(joint, pmi(joint) + c, 2, symmetric=True)) > float(least) + 1e-3
    assert float(batch_loss(joint, pmi(joint) + c.expand(2, 4), 2, symmetric=False)) == pytest.approx(
        float(batch_loss(joint, pmi(joint), 2, symmetric=False)), abs=TOLERANCE
    )


@pytest.mark.parametrize("backend", ["dense", "streamed"])
def test_an_offset_corrects_for_uneven_sampling(backend):
    """Negatives from q, and -log q(y) added to every candidate: the optimum is log p(y|x) + c(x), whatever q:
    the sampled softmax (Bengio & Senécal 2008; Jean et al. 2015, arXiv:1412.2007, section 3), exact even for K = 2."""
    joint = tables()["square"]
    q = torch.tensor([0.7, 0.2, 0.1], dtype=torch.float64)
    given = joint / joint.sum(1, keepdim=True)

    def slope(critic: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
        """Of the population objective: a shared pair of candidates at a time, the first one true."""
        critic, total = critic.clone().requires_grad_(), torch.zeros((), dtype=torch.float64)
        for true, false in product(range(3), range(3)):
            ys = torch.tensor([true, false])
            shared = Scores(
                critic, torch.eye(3, dtype=torch.float64)[ys], positives=torch.zeros(3, dtype=torch.int64),
                column_offset=offset[ys], backend=backend,
            )  # fmt: skip
            total = total + (joint[:, true] * q[false] * info_nce(shared, eager=False)).sum()
        return torch.autograd.grad(total, critic)[0]

    c = torch.tensor([[0.0], [2.0], [-1.0]], dtype=torch.float64)
    torch.testing.assert_close(slope(given.log() + c, -q.log()), torch.zeros_like(joint), rtol=0, atol=TOLERANCE)
    assert slope(given.log(), torch.zeros_like(q)).abs().max() > 1e-2
    assert slope(given.log(), q.log()).abs().max() > 1e-2
