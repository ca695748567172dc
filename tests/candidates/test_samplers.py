"""Every sampler: the expected counts it states are those of its draws; the same generator gives the same draws."""

import math

import numpy as np
import pytest
import torch

from infomax.candidates import Everything, Inclusion, LogUniform, Mixture, Uniform, Unigram, in_batch
from infomax.errors import InputError

COUNTS = [9, 0, 4, 1, 30, 2]
SAMPLERS = {
    "uniform": Uniform(6),
    "log-uniform": LogUniform(6),
    "unigram": Unigram(COUNTS),
    "unigram 0.75": Unigram(COUNTS, 0.75),
    "mixture": Mixture([Unigram(COUNTS), Uniform(6)], [0.8, 0.2]),
    "mixture of three": Mixture([Unigram(COUNTS), Uniform(6), LogUniform(6)], [0.5, 0.2, 0.3]),
    "inclusion": Inclusion(Unigram(COUNTS, 0.5)),
    "everything": Everything(6),
}


@pytest.mark.parametrize("rows", [None, 40])
@pytest.mark.parametrize("name", SAMPLERS)
def test_expected_counts_are_those_of_the_draws(name, rows):
    sampler, rng, k, rounds = SAMPLERS[name], torch.Generator().manual_seed(3), 4, 800
    if rows is not None and sampler.hits == "masked":
        rows = None
    totals = torch.zeros(6)
    for _ in range(rounds if rows is None else rounds // rows):
        drawn = sampler.draw(k, rng, rows)
        assert drawn.ids.dtype == torch.int64
        assert drawn.hits == sampler.hits
        torch.testing.assert_close(drawn.log_expected, sampler.log_expected(drawn.ids, k))
        totals += torch.bincount(drawn.ids.flatten(), minlength=6)
    expected = sampler.log_expected(torch.arange(6), k).exp() * rounds
    error = expected.clamp(min=1).sqrt()  # counts are no more spread than Poisson's
    assert ((totals - expected).abs() < 5 * error).all()
    assert (totals[expected == 0] == 0).all()


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_draw_tells_the_expected_number_of_its_draws(name):
    """nu of binary NCE: an expectation, not the number that came."""
    sampler, rng = SAMPLERS[name], torch.Generator().manual_seed(1)
    expected = float(sampler.log_expected(torch.arange(6), 4).exp().sum())
    assert [sampler.draw(4, rng).draws for _ in range(5)] == pytest.approx([expected] * 5, rel=1e-12)


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_saved_generator_resumes_the_draws(name):
    rng = torch.Generator().manual_seed(0)
    SAMPLERS[name].draw(5, rng)
    state = rng.get_state()
    first = SAMPLERS[name].draw(5, rng)
    rng.set_state(state)
    assert torch.equal(SAMPLERS[name].draw(5, rng).ids, first.ids)


@pytest.mark.parametrize("name", [n for n in SAMPLERS if n not in ("inclusion", "everything")])
def test_laws_sum_to_one(name):
    assert float(SAMPLERS[name].log_q(torch.arange(6)).exp().sum()) == pytest.approx(1, abs=1e-12)


def test_log_uniform_is_tensorflows():
    q = LogUniform(10).log_q(torch.arange(10)).exp()
    want = [(math.log(c + 2) - math.log(c + 1)) / math.log(11) for c in range(10)]
    torch.testing.assert_close(q, torch.tensor(want, dtype=torch.float64))


def test_unigram_to_a_power():
    q = Unigram([1, 16, 81], 0.5).log_q(torch.arange(3)).exp()
    torch.testing.assert_close(q, torch.tensor([1, 4, 9], dtype=torch.float64) / 14)
    assert float(Unigram([1e300, 1e-300], 2.0).log_q(torch.tensor([1]))) == -math.inf  # 1e-1200: below float64


def test_in_batch():
    targets = torch.tensor([0, 4, 4])
    drawn = in_batch(targets, Unigram(COUNTS))
    torch.testing.assert_close(drawn.log_expected.exp(), 3 * torch.tensor([9, 30, 30], dtype=torch.float64) / 46)
    assert (drawn.hits, drawn.draws) == ("kept", 3.0)
    with pytest.raises(InputError, match="class 1 is in the batch, but its law says never"):
        in_batch(torch.tensor([0, 1]), Unigram(COUNTS))


def test_an_inclusion_is_at_most_once_and_certain_where_expected_often():
    drawn = Inclusion(Unigram([100, 1, 1, 1])).draw(3, torch.Generator().manual_seed(0))
    assert len(torch.unique(drawn.ids)) == len(drawn.ids)
    assert 0 in drawn.ids
    assert float(drawn.log_expected[0]) == 0.0


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: Uniform(0), "positive integer; got 0"),
        (lambda: Uniform(2.5), "positive integer; got 2.5"),
        (lambda: Unigram([]), "counts must be a vector"),
        (lambda: Unigram([[1, 2]]), "counts must be a vector"),
        (lambda: Unigram(["a"]), "counts must be a vector"),
        (lambda: Unigram([0, 0]), "not all 0"),
        (lambda: Unigram([1, -1]), "none below 0"),
        (lambda: Unigram([1, float("nan")]), "finite"),
        (lambda: Unigram([1, 2], float("inf")), "power must be finite"),
        (lambda: Mixture([Uniform(2)], [0.5]), "sum to 1"),
        (lambda: Mixture([Uniform(2), Uniform(2)], [float("nan"), 0.5]), "sum to 1"),
        (lambda: Mixture([Inclusion(Uniform(2)), Uniform(2)], [0.5, 0.5]), "samplers of independent draws"),
        (lambda: Mixture([Uniform(2), Uniform(3)], [0.5, 0.5]), r"\[2, 3\] classes"),
        (lambda: Mixture([], []), "as many weights as parts"),
        (lambda: Uniform(3).draw(0, torch.Generator()), "k, the number of noise draws"),
        (lambda: Uniform(3).log_expected(torch.tensor([3]), 1), "from 0 to 2; got 3 to 3"),
        (lambda: Uniform(3).log_expected(torch.tensor([0.5]), 1), "integer tensor"),
        (lambda: Inclusion(Uniform(3)).draw(2, torch.Generator(), rows=2), "shared by all rows"),
    ],
)
def test_bad_input(make, match):
    with pytest.raises(InputError, match=match):
        make()


def test_counts_may_be_any_array():
    learned = torch.tensor([1.0, 2.0, 3.0], dtype=torch.bfloat16, requires_grad=True)
    given = [1, 2, 3], np.array([1, 2, 3]), torch.tensor([1.0, 2.0, 3.0]), learned
    q = [Unigram(c).log_q(torch.arange(3)) for c in given]
    assert torch.equal(q[0], q[1])
    assert torch.equal(q[0], q[2])
