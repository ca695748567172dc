"""Theorems of the bounds beyond InfoNCE on finite alphabets, to 1e-9: which side they lie on, where they are tight.

Sources: Nguyen et al. 2010, arXiv:0809.0853; Belghazi et al. 2018, arXiv:1801.04062; Hjelm et al. 2019, arXiv:1808.06670;
Poole et al. 2019, arXiv:1905.06922; Cheng et al. 2020, arXiv:2006.12013; Guo et al. 2022, arXiv:2107.01131.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from pathlib import Path

import pytest
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent))
from proportions import REALISATIONS, Population, critics, populations

from infomax import bounds, objectives
from infomax.scores import Scores

TOLERANCE = 1e-9
NAMES = list(populations())


def baseline(population: Population) -> Tensor:
    """Some log a(x) that is not the best one, an anchor each."""
    return torch.linspace(-0.7, 1.3, len(population.counts), dtype=torch.float64)


@dataclass(frozen=True)
class Lower:
    """A lower bound: its differentiable value for a critic, its reading, and its best critic."""

    value: Callable[[Population, Scores], Tensor]
    read: Callable[[Population, Scores], bounds.Bound]
    best: Callable[[Population], Tensor]


def at(population: Population, table: Tensor) -> Tensor:
    """(D,) the entries of a table over x, or over (x, y), at the population's pairs."""
    x, y = population.pairs()
    return table[x] if table.ndim == 1 else table[x, y]


LOWER = {
    "donsker_varadhan": Lower(
        lambda p, s: -objectives.donsker_varadhan(s).mean(),
        lambda p, s: bounds.donsker_varadhan(s),
        lambda p: p.pmi() - 3.0,
    ),
    "nwj": Lower(
        lambda p, s: -objectives.nwj(s).mean(),
        lambda p, s: bounds.nwj(s),
        lambda p: p.pmi() + 1.0,
    ),
    "tuba": Lower(
        lambda p, s: -objectives.tuba(s, at(p, baseline(p))).mean(),
        lambda p, s: bounds.tuba(s, at(p, baseline(p))),
        lambda p: p.pmi() + baseline(p).unsqueeze(1),
    ),
    "flo": Lower(
        lambda p, s: -objectives.flo(s, at(p, p.pmi())).mean(),
        lambda p, s: bounds.flo(s, at(p, p.pmi())),
        lambda p: p.pmi() + baseline(p).unsqueeze(1),
    ),
}


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("bound", LOWER)
@pytest.mark.parametrize("name", NAMES)
def test_no_critic_is_above_the_information(name, bound, realise):
    """The population value of every critic is at most I; that of the best one is I; objective and reading agree."""
    population, lower = populations()[name], LOWER[bound]
    for critic in critics(population, 8):
        scores = realise(population, critic)
        value = float(lower.value(population, scores))
        assert value <= population.information + TOLERANCE
        assert lower.read(population, scores).value == pytest.approx(value, rel=1e-12, abs=1e-12)
    best = lower.value(population, realise(population, lower.best(population)))
    assert float(best) == pytest.approx(population.information, abs=TOLERANCE)


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("bound", LOWER)
@pytest.mark.parametrize("name", NAMES)
def test_the_best_critic_is_stationary_and_others_are_not(name, bound, realise):
    population, lower = populations()[name], LOWER[bound]
    for step, holds in ((0.0, True), (0.5, False)):
        bump = step * torch.arange(population.counts.numel(), dtype=torch.float64).reshape(population.counts.shape)
        critic = (lower.best(population) + bump).requires_grad_()
        (slope,) = torch.autograd.grad(lower.value(population, realise(population, critic)), critic)
        holds |= (bound, name) == ("flo", "deterministic")  # one y an anchor: any change is a function of the anchor
        assert (float(slope.abs().max()) < TOLERANCE) == holds


@pytest.mark.parametrize("name", NAMES)
def test_flo_is_below_for_every_second_critic_and_stationary_at_the_best(name):
    """Its second critic may be anything: below I for all, and the PMI is the best of them (Guo et al., section 3)."""
    population = populations()[name]
    scores = population.as_matrix(population.pmi() + baseline(population).unsqueeze(1))
    for ratio in critics(population, 6, seed=1):
        assert float(-objectives.flo(scores, at(population, ratio)).mean()) <= population.information + TOLERANCE
    best = at(population, population.pmi()).requires_grad_()
    (slope,) = torch.autograd.grad(objectives.flo(scores, best).mean(), best)
    assert float(slope.abs().max()) < TOLERANCE


@pytest.mark.parametrize("name", NAMES)
def test_tuba_is_below_for_every_baseline_and_best_where_it_is_the_normaliser(name):
    """a(x) = E_y e^s is stationary for any critic, and turns the value into E s - E_x log E_y e^s (Poole, section 2.1)."""
    population = populations()[name]
    for critic in critics(population, 4):
        scores = population.as_matrix(critic)
        by_anchor = (population.joint.sum(0).log() + critic).logsumexp(1)
        best = at(population, by_anchor).requires_grad_()
        loss = objectives.tuba(scores, best).mean()
        (slope,) = torch.autograd.grad(loss, best)
        loss = loss.detach()
        want = float((population.joint * critic).sum() - (population.joint.sum(1) * by_anchor).sum())
        assert float(-loss) == pytest.approx(want, abs=TOLERANCE)
        assert float(slope.abs().max()) < TOLERANCE
        for shift in (-1.0, 2.0):
            assert float(objectives.tuba(scores, best.detach() + shift).mean()) > float(loss) + 0.1


@pytest.mark.parametrize("name", NAMES)
def test_donsker_varadhan_is_nwj_at_its_best_constant(name):
    """log m <= m/e^c + c - 1: NWJ of s + c is below DV for all c, and equal where 1 - c is the log normaliser."""
    population = populations()[name]
    for critic in critics(population, 6):
        normaliser = float(torch.logsumexp((population.product.log() + critic).flatten(), 0))
        dv = float(-objectives.donsker_varadhan(population.as_matrix(critic)).mean())
        assert dv == pytest.approx(float((population.joint * critic).sum()) - normaliser, abs=TOLERANCE)
        nwj = [
            float(-objectives.nwj(population.as_matrix(critic + 1 - normaliser + c)).mean()) for c in (0.0, -0.5, 2.0)
        ]
        assert nwj[0] == pytest.approx(dv, abs=TOLERANCE)
        assert max(nwj[1:]) < dv - 0.05


@pytest.mark.parametrize("realise", REALISATIONS)
def test_what_each_does_not_see(realise):
    """A constant changes nothing in DV, a function of the anchor nothing in FLO; both change NWJ."""
    population = populations()["square"]
    critic, c = critics(population, 1)[0], baseline(population).unsqueeze(1)
    for bound, shift, unseen in (
        ("donsker_varadhan", 2.0, True),
        ("donsker_varadhan", c, False),
        ("flo", c, True),
        ("nwj", 2.0, False),
        ("tuba", 2.0, False),
    ):
        value = LOWER[bound].value
        moved = float(value(population, realise(population, critic + shift)))
        assert (abs(moved - float(value(population, realise(population, critic)))) < TOLERANCE) == unseen


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_jensen_shannon_is_at_most_twice_the_divergence_and_that_at_most_the_information(name, realise):
    """log 4 - loss <= 2 JSD <= I, the first an equality at PMI, which is stationary (Hjelm, equation 4)."""
    population = populations()[name]
    p, q = population.joint, population.product
    m = (p + q) / 2
    twice = float(torch.special.xlogy(p, p / m).sum() + torch.special.xlogy(q, q / m).sum())
    assert twice <= population.information + TOLERANCE
    for critic in critics(population, 8):
        read = bounds.jensen_shannon(realise(population, critic))
        assert read.value <= twice + TOLERANCE
        assert read.ceiling == pytest.approx(log(4))
    best = population.pmi().requires_grad_()
    loss = objectives.jensen_shannon(realise(population, best)).mean()
    assert log(4) - float(loss.detach()) == pytest.approx(twice, abs=TOLERANCE)
    (slope,) = torch.autograd.grad(loss, best)
    assert float(slope.abs().max()) < TOLERANCE
    through_nwj = bounds.jensen_shannon_nwj(realise(population, best.detach()))
    assert through_nwj.value == pytest.approx(population.information, abs=TOLERANCE)


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_barber_agakov_is_below_by_the_divergence_of_the_conditional(name, realise):
    """H(Y) + E log q(y|x) = I - E KL(p(y|x) || q(y|x)) for every normalised q."""
    population = populations()[name]
    for critic in critics(population, 6):
        log_q = critic.log_softmax(1)
        read = bounds.barber_agakov(realise(population, log_q), population.entropy)
        joint = population.joint
        below = float((torch.special.xlogy(joint, joint / joint.sum(1, keepdim=True)) - joint * log_q).sum())
        assert read.value == pytest.approx(population.information - below, abs=TOLERANCE)
        assert read.value <= population.information + TOLERANCE
    best = bounds.barber_agakov(realise(population, population.log_conditional()), population.entropy)
    assert best.value == pytest.approx(population.information, abs=TOLERANCE)


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("name", ["square", "wide", "tall", "independent"])
def test_club_exceeds_the_information_by_the_reverse_divergence(name, realise):
    """E_p log p(y|x) - E_q log p(y|x) = I + KL(p(x)p(y) || p(x, y)), whatever function of x or of y is added."""
    population = populations()[name]
    above = float((population.product * (population.product / population.joint).log()).sum())
    column = torch.linspace(-2.0, 1.0, population.counts.shape[1], dtype=torch.float64)
    for shift in (0.0, column, baseline(population).unsqueeze(1)):
        read = bounds.club(realise(population, population.log_conditional() + shift), exact=True)
        assert read.value == pytest.approx(population.information + above, abs=TOLERANCE)
    assert above >= -TOLERANCE
    assert (above < TOLERANCE) == (name == "independent")


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_the_rate_exceeds_the_information_by_the_divergence_of_the_marginal(name, realise):
    """E KL(p(y|x) || r) = I + KL(p(y) || r), so r = p(y) is best."""
    population = populations()[name]
    scores, y = realise(population, population.log_conditional()), population.joint.sum(0)
    rng = torch.Generator().manual_seed(2)
    for strength in (0.0, 0.3, 2.0):
        log_r = (y.log() + strength * torch.randn(len(y), generator=rng, dtype=torch.float64)).log_softmax(0)
        above = float((y * (y.log() - log_r)).sum())
        read = bounds.rate(scores, log_r[population.pairs()[1]], exact=True)
        assert read.value == pytest.approx(population.information + above, abs=TOLERANCE)
        assert (above > TOLERANCE) == (strength > 0)


def test_smile_lies_on_either_side():
    """A critic of twice the PMI reads more than there is, for small clips and large; one of half of it reads less."""
    population = populations()["deterministic"]
    for clip in (0.1, 0.5, 1.0):
        over = bounds.smile(population.as_matrix(2 * population.pmi().clamp(min=-9)), clip=clip)
        assert over.value > population.information + 0.1
        assert over.side == "neither"
    other = populations()["square"]
    assert bounds.smile(other.as_matrix(0.2 * other.pmi()), clip=5.0).value < other.information - 0.03


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_smile_without_anything_to_clip_is_donsker_varadhan(name, realise):
    population = populations()[name]
    for critic in critics(population, 6):
        scores, most = realise(population, critic), float(critic.abs().max())
        torch.testing.assert_close(
            objectives.smile(scores, clip=most + 1e-6), objectives.donsker_varadhan(scores), rtol=1e-9, atol=1e-9
        )
        clipped = torch.logsumexp((population.product.log() + critic.clamp(-most / 3, most / 3)).flatten(), 0)
        want = float((population.joint * critic).sum() - clipped)
        assert bounds.smile(scores, clip=most / 3).value == pytest.approx(want, abs=TOLERANCE)


@pytest.mark.parametrize("realise", REALISATIONS)
@pytest.mark.parametrize("name", NAMES)
def test_the_corrected_gradient_is_that_of_the_mean_over_the_average(name, realise):
    """MINE, section 3.2: with the population's own normaliser in the average nothing is left to correct; with another one the
    chance pairs' part of the gradient is scaled by their ratio."""
    population = populations()[name]
    critic = critics(population, 2)[1].requires_grad_()

    def slopes(loss: Tensor) -> Tensor:
        return torch.autograd.grad(loss.mean(), critic)[0]

    plain = objectives.donsker_varadhan(realise(population, critic))
    normaliser = float(torch.logsumexp((population.product.log() + critic.detach()).flatten(), 0))
    for shift in (0.0, 0.8, -1.5):
        corrected = objectives.mine(realise(population, critic), normaliser + shift)
        torch.testing.assert_close(corrected, plain)
        chance = (population.product * critic.exp()).detach() / exp(normaliser + shift)
        torch.testing.assert_close(slopes(corrected), chance - population.joint, rtol=1e-9, atol=1e-9)
