"""What the bounds do on average over samples of n pairs, by exact sums over all of them: which word each has earned.

A population value on the right side is not enough: a sample's log of a mean is too small on average, so a bound with a log
over chance pairs is too large. Sources: Poole et al. 2019, arXiv:1905.06922, sections 2.2 and 2.4.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from math import log
from pathlib import Path

import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))
from finite import batches, value
from proportions import Population, critics

from infomax import bounds, objectives
from infomax.scores import Scores

TOLERANCE = 1e-9
TABLES = {
    "two": [[4, 1], [1, 2]],
    "sure": [[3, 0], [0, 2]],
    "nothing": [[2, 4], [1, 2]],
    "wide": [[3, 1, 0], [1, 1, 2]],
}
POPULATIONS = {name: Population(torch.tensor(table)) for name, table in TABLES.items()}


def expected(
    population: Population,
    critic: Tensor,
    n: int,
    of: Callable[[Scores, Tensor, Tensor], Tensor],
    *,
    ordered: bool = False,
) -> float:
    """The mean over all samples of n pairs, each by its probability; `of` has the scores, x and y of a sample and gives the
    values of its rows. Samples that differ in order alone are drawn once, unless `ordered`."""
    x, y, p = batches(population.joint, n)
    keys = x * population.counts.shape[1] + y
    kept, which = torch.unique(keys if ordered else keys.sort(1).values, dim=0, return_inverse=True)
    weight = torch.zeros(len(kept), dtype=torch.float64).index_add(0, which, p)
    total = 0.0
    for sample, times in zip(kept, weight, strict=True):
        i, j = sample // population.counts.shape[1], sample % population.counts.shape[1]
        total += float(times * of(Scores.from_dense(critic[i][:, j]), i, j).mean())
    return total


def critics_of(population: Population) -> list[Tensor]:
    return [critic.clamp(min=-30) for critic in critics(population, 3)]


@pytest.mark.parametrize("name", TABLES)
def test_nwj_tuba_flo_and_jensen_shannon_are_unbiased(name):
    """Linear in the chance pairs, so a sample of two has the population's value on average: lower bounds at any n."""
    population = POPULATIONS[name]
    x, y = population.pairs()
    a = torch.linspace(-0.5, 0.5, len(population.counts), dtype=torch.float64)
    ratio = population.pmi().clamp(min=-3) / 2
    values = {
        "nwj": lambda s, i, j: -objectives.nwj(s),
        "tuba": lambda s, i, j: -objectives.tuba(s, a[i]),
        "flo": lambda s, i, j: -objectives.flo(s, ratio[i, j]),
        "jensen_shannon": lambda s, i, j: log(4) - objectives.jensen_shannon(s),
    }
    for critic in critics_of(population):
        for of in values.values():
            of_all = float(of(population.as_matrix(critic), x, y).mean())
            assert expected(population, critic, 2, of) == pytest.approx(of_all, rel=1e-9, abs=1e-9)
            assert of_all <= population.information + TOLERANCE


@pytest.mark.parametrize("name", ["two", "sure", "wide"])
def test_donsker_varadhan_of_a_sample_is_above_that_of_the_population(name):
    """E log mean <= log E mean: for the best critic the sample's value exceeds I on average, so its side is neither."""
    population = POPULATIONS[name]

    def of(scores: Scores, _x: Tensor, _y: Tensor) -> Tensor:
        return -objectives.donsker_varadhan(scores)

    for critic in critics_of(population):
        assert expected(population, critic, 2, of) > bounds.donsker_varadhan(population.as_matrix(critic)).value
    best = population.pmi().clamp(min=-30)
    two, three = (expected(population, best, n, of) - population.information for n in (2, 3))
    assert two > three > 0.02
    assert bounds.donsker_varadhan(Scores(torch.eye(4), torch.eye(4))).side == "neither"


@pytest.mark.parametrize("name", ["two", "sure", "nothing"])
def test_the_interpolated_bound_is_below_for_every_critic_baseline_and_weight(name):
    """Poole, section 2.4, with both means over n - 1 candidates: at most I, and at most log((n - 1) / alpha)."""
    population, a = POPULATIONS[name], torch.tensor([0.6, -1.0])
    for critic in critics_of(population)[:2]:
        for alpha in (0.1, 0.7):

            def of(scores: Scores, x: Tensor, _y: Tensor, alpha: float = alpha) -> Tensor:
                return -objectives.interpolated(scores, a[x], alpha=alpha)

            read = expected(population, critic, 3, of, ordered=True)
            assert read <= min(population.information, log(2 / alpha)) + TOLERANCE


def test_the_interpolated_bound_ends_at_tuba_and_at_info_nce():
    """alpha = 0 is TUBA; alpha = 1 is InfoNCE over one candidate fewer, whatever the baseline."""
    population, a = POPULATIONS["two"], torch.tensor([0.3, -0.4])

    def of(alpha: float) -> Callable[[Scores, Tensor, Tensor], Tensor]:
        return lambda s, x, _y: -objectives.interpolated(s, a[x], alpha=alpha)

    for critic in critics_of(population)[:2]:
        tuba = expected(population, critic, 2, lambda s, x, y: -objectives.tuba(s, a[x]))
        assert expected(population, critic, 2, of(0.0)) == pytest.approx(tuba, abs=TOLERANCE)
        nce = value(population.joint, critic, 2)
        assert expected(population, critic, 3, of(1.0), ordered=True) == pytest.approx(nce, abs=TOLERANCE)


@pytest.mark.parametrize("alpha", [0.0, 1.0])
def test_the_pointwise_information_is_stationary_at_both_ends(alpha):
    """With a = 1 (Poole, sections 2.2 and 2.3); between the ends the best critic depends on n."""
    population = POPULATIONS["two"]
    for strength, holds in ((1.0, True), (1.5, False)):
        critic = (strength * population.pmi()).requires_grad_()
        x, y, p = batches(population.joint, 3)
        drawn = (Scores.from_dense(critic[i][:, j]) for i, j in zip(x, y, strict=True))
        loss = (p * torch.stack([objectives.interpolated(s, 0.0, alpha=alpha).mean() for s in drawn])).sum()
        (slope,) = torch.autograd.grad(loss, critic)
        assert (float(slope.abs().max()) < TOLERANCE) == holds


@pytest.mark.parametrize("name", ["two", "nothing", "wide"])
def test_leave_one_out_is_above_and_nears_the_information(name):
    """With p(y|x) itself E log p(y|x) / mean of the others >= I, less so for more pairs, whatever c(y) is added."""
    population = POPULATIONS[name]
    column = torch.linspace(-1.0, 2.0, population.counts.shape[1], dtype=torch.float64)
    exact = population.log_conditional().clamp(min=-12)
    most = 4 if name != "wide" else 3
    over = [
        expected(population, exact + column, n, lambda s, x, y: objectives.leave_one_out(s)) - population.information
        for n in range(2, most + 1)
    ]
    if name == "nothing":
        assert over == pytest.approx([0.0] * len(over), abs=TOLERANCE)
    else:
        assert over[-1] > 0.01
        assert all(later < earlier - 0.01 for earlier, later in pairwise(over))


def test_club_of_a_sample_is_unbiased_and_a_fitted_conditional_may_fall_below():
    """Chance pairs alone in the second mean: unbiased from n = 2 on. A conditional that knows little reads less."""
    for name in ("two", "nothing"):
        population = POPULATIONS[name]
        exact = population.log_conditional()
        of_all = bounds.club(population.as_matrix(exact)).value
        read = expected(population, exact, 2, lambda s, x, y: objectives.club(s))
        assert read == pytest.approx(of_all, abs=TOLERANCE)
    fitted = bounds.club(POPULATIONS["two"].as_matrix(0.1 * POPULATIONS["two"].log_conditional()))
    assert fitted.value < POPULATIONS["two"].information
    assert fitted.side == "neither"
