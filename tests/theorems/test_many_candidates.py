"""The limit of many candidates, without a limit: where a population holds every pair in exact proportion, the mean over
all candidates is the expectation over the marginal, so the bound of the best critic is the information itself.
"""

from __future__ import annotations

import sys
from math import log
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))
from finite import TOLERANCE, critics, information, pmi

from infomax import bounds
from infomax.scores import Scores

COUNTS = {
    "square": [[4, 1, 2], [1, 6, 1], [0, 2, 3]],
    "wide": [[5, 1, 1, 3], [1, 4, 4, 1]],
    "deterministic": [[3, 0, 0], [0, 5, 0], [0, 0, 2]],
    "independent": [[2, 4, 6], [1, 2, 3]],
}
REPEATS = [1, 7, 40]  # up to 960 pairs: a small matrix is stored, a large one streamed


def population(name: str, repeats: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """p(x, y), and each pair as often as it says: joint (a, b), x (n,), y (n,)."""
    counts = torch.tensor(COUNTS[name]) * repeats
    cells = counts.nonzero().repeat_interleave(counts[counts > 0], 0)
    return counts.double() / counts.sum(), cells[:, 0], cells[:, 1]


def scores_of(critic: torch.Tensor, x: torch.Tensor, y: torch.Tensor, backend: str = "auto") -> Scores:
    return Scores(critic[x], torch.eye(critic.shape[1], dtype=critic.dtype)[y], backend=backend)


@pytest.mark.parametrize("repeats", REPEATS)
@pytest.mark.parametrize("name", list(COUNTS))
def test_the_bound_of_the_best_critic_is_the_information(name, repeats):
    """Σ_y p(y) e^PMI(x, y) = 1, so log n - loss is the pointwise information of each pair: its mean is I."""
    joint, x, y = population(name, repeats)
    for shift in (0.0, torch.linspace(-3, 4, len(joint)).double().unsqueeze(1)):
        for backend in ("dense", "streamed"):
            scores = scores_of(pmi(joint) + shift, x, y, backend)
            found = bounds.info_nce(scores)
            assert found.value == pytest.approx(information(joint), abs=TOLERANCE)
            assert found.ceiling == pytest.approx(log(len(x)), abs=1e-12)
            assert bounds.readout(scores).bound == pytest.approx(information(joint), abs=TOLERANCE)


@pytest.mark.parametrize("name", list(COUNTS))
def test_its_standard_error_is_that_of_the_pointwise_information(name):
    """There a pair's influence as a candidate is Σ_x p(x) e^PMI(x, y) - 1 = 0: only its own row is left."""
    joint, x, y = population(name, 7)
    found = bounds.info_nce(scores_of(pmi(joint), x, y))
    pointwise = pmi(joint)[x, y]
    assert found.standard_error == pytest.approx(float(pointwise.std()) / len(x) ** 0.5, abs=TOLERANCE)


@pytest.mark.parametrize("name", list(COUNTS))
def test_every_other_critic_is_below_by_the_divergence_of_its_posterior(name):
    """value = I - E_x KL(p(y|x) || p(y) e^f / Z(x)) (Poole, section 2.1, unnormalised Barber-Agakov with log Z(x))."""
    joint, x, y = population(name, 7)
    marginal, given = joint.sum(0), joint / joint.sum(1, keepdim=True)
    for critic in critics(joint, 6):
        model = torch.softmax(critic + marginal.log(), 1)
        divergence = (joint.sum(1, keepdim=True) * torch.special.xlogy(given, given / model)).sum()
        found = bounds.info_nce(scores_of(critic, x, y)).value
        assert found == pytest.approx(information(joint) - float(divergence), abs=TOLERANCE)


def test_with_few_candidates_the_ceiling_is_what_is_read():
    """Eight pairs of eight symbols in a world of many symbols: the value is log 8, whatever I; the readout says so."""
    scores = Scores(60 * torch.eye(8, dtype=torch.float64), torch.eye(8, dtype=torch.float64))
    found = bounds.readout(scores)
    assert found.bound == pytest.approx(log(8), abs=TOLERANCE)
    assert found.saturation == pytest.approx(1.0, abs=TOLERANCE)
    assert any("more candidates" in warning for warning in found.warnings)
