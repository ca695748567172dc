"""Exact measures on known numbers, at zero cells, on tensors, and what they refuse."""

from __future__ import annotations

import subprocess
import sys
from math import inf, isnan, log

import numpy as np
import pytest
import torch

from infomax import information as info
from infomax.errors import InputError

XOR = np.array([[[0.25, 0.0], [0.0, 0.25]], [[0.0, 0.25], [0.25, 0.0]]])
TABLE = [[0.5, 0.0], [0.25, 0.25]]

OF_JOINT = {
    "joint_entropy": lambda p, **k: info.joint_entropy(p, **k),
    "conditional_entropy": lambda p, **k: info.conditional_entropy(p, **k),
    "mutual_information": lambda p, **k: info.mutual_information(p, **k),
    "total_correlation": lambda p, **k: info.total_correlation(p, **k),
    "interaction_information": lambda p, **k: info.interaction_information(p, **k),
    "entropy": lambda p, **k: info.entropy(p, **k),
}
SMOOTH = {
    **OF_JOINT,
    "cross_entropy": lambda p: info.cross_entropy(p, p.flip(0)),
    "kl_divergence": lambda p: info.kl_divergence(p, p.flip(0)),
    "jensen_shannon_divergence": lambda p: info.jensen_shannon_divergence(p, p.flip(0)),
    "normalised": lambda p: info.normalised_mutual_information(p, "geometric"),
    "pointwise": lambda p: info.pointwise_mutual_information(p),
    "self_information": lambda p: info.self_information(p),
    "log_odds": lambda p: info.log_odds(p),
}


def test_textbook_values():
    """Cover & Thomas 2006, example 2.2.1: a joint table with entropies 7/4, 2, 11/8, 13/8 and 27/8 bits."""
    p = np.array([[1 / 8, 1 / 16, 1 / 32, 1 / 32], [1 / 16, 1 / 8, 1 / 32, 1 / 32], [1 / 16] * 4, [1 / 4, 0, 0, 0]])
    x, y = p.sum(0), p.sum(1)  # the book's table has y in rows
    assert info.entropy(x, base=2) == pytest.approx(7 / 4)
    assert info.entropy(y, base=2) == pytest.approx(2)
    assert info.conditional_entropy(p, given=0, base=2) == pytest.approx(11 / 8)
    assert info.conditional_entropy(p, given=1, base=2) == pytest.approx(13 / 8)
    assert info.joint_entropy(p, base=2) == pytest.approx(27 / 8)
    assert info.mutual_information(p, base=2) == pytest.approx(3 / 8)


def test_units_are_nats_unless_a_base_is_given():
    assert info.entropy([0.5, 0.5]) == pytest.approx(log(2), abs=1e-15)
    assert info.entropy([0.5, 0.5], base=2) == 1.0
    assert info.kl_divergence([1.0, 0.0], [0.1, 0.9], base=10) == pytest.approx(1.0)
    for base in (0, 1, -2, inf):
        with pytest.raises(InputError, match="base must be"):
            info.entropy([0.5, 0.5], base=base)


def test_three_variables():
    assert info.conditional_mutual_information(XOR) == pytest.approx(log(2))
    assert info.mutual_information(XOR.sum(2)) == pytest.approx(0, abs=1e-15)
    assert info.interaction_information(XOR) == pytest.approx(log(2))
    assert info.total_correlation(XOR) == pytest.approx(log(2))
    copies = np.zeros((2, 2, 2))
    copies[0, 0, 0] = copies[1, 1, 1] = 0.5
    assert info.interaction_information(copies) == pytest.approx(-log(2))
    assert info.conditional_entropy(XOR, given=(0, 1)) == pytest.approx(0, abs=1e-15)
    assert info.conditional_entropy(XOR, given=-1) == pytest.approx(2 * log(2) - log(2))


def test_the_axes_are_x_y_z():
    """x = z, y apart: I(X; Y | Z) = 0 but I(X; Z | Y) is not."""
    p = np.einsum("i,j,ik->ijk", [0.3, 0.7], [0.1, 0.2, 0.7], np.eye(2))
    assert info.conditional_mutual_information(p) == pytest.approx(0, abs=1e-15)
    assert info.conditional_mutual_information(p.transpose(0, 2, 1)) == pytest.approx(info.entropy([0.3, 0.7]))


def test_zero_cells():
    assert info.entropy([1.0, 0.0]) == 0.0
    assert str(info.entropy([1.0, 0.0])) == "0.0"  # not -0.0
    assert info.kl_divergence([0.5, 0.5, 0.0], [0.25, 0.25, 0.5]) == pytest.approx(log(2))
    assert info.kl_divergence([0.5, 0.5], [1.0, 0.0]) == inf
    assert info.cross_entropy([0.5, 0.5], [1.0, 0.0]) == inf
    assert info.jensen_shannon_divergence([1.0, 0.0], [0.0, 1.0]) == pytest.approx(log(2))
    assert info.self_information([0.0, 1.0]).tolist() == [inf, 0.0]
    assert info.mutual_information([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]]) == pytest.approx(log(2))
    pmi = info.pointwise_mutual_information([[0.5, 0.0, 0.0], [0.0, 0.5, 0.0]])
    assert pmi[0, 0] == pytest.approx(log(2))
    assert pmi[0, 1] == -inf
    assert isnan(pmi[0, 2])


def test_numbers_far_below_one_keep_their_logs():
    """p/q and p(x)p(y) would overflow or vanish; the logs do not."""
    assert info.kl_divergence([1.0, 1e-300], [1e-300, 1.0]) == pytest.approx(300 * log(10))
    tiny = 1e-200
    assert info.pointwise_mutual_information([[tiny, 0.0], [0.0, 1.0]])[0, 0] == pytest.approx(200 * log(10))


def test_pointwise_averages_to_the_mutual_information():
    p = np.random.default_rng(0).dirichlet(np.ones(12)).reshape(3, 4)
    assert (p * info.pointwise_mutual_information(p)).sum() == pytest.approx(info.mutual_information(p))


MOST = {
    "min": 0.5623,
    "max": 0.6931,
    "arithmetic": 0.6277,
    "geometric": 0.6243,
    "joint": 1.0397,
    "x": 0.6931,
    "y": 0.5623,
}


@pytest.mark.parametrize(("kind", "most"), MOST.items())
def test_normalised_by_each_kind(kind, most):
    assert info.normalised_mutual_information(TABLE, kind) == pytest.approx(0.2158 / most, abs=2e-4)
    assert info.normalised_mutual_information([[0.5, 0.0], [0.0, 0.5]], kind) == pytest.approx(1.0)
    assert info.normalised_mutual_information([[1.0, 0.0], [0.0, 0.0]], kind) == 0.0


@pytest.mark.parametrize("name", SMOOTH)
def test_gradients_in_torch(name):
    def of_logits(logits: torch.Tensor) -> torch.Tensor:
        return SMOOTH[name](logits.flatten().softmax(0).reshape(logits.shape))

    logits = torch.randn(3, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(of_logits, logits)


@pytest.mark.parametrize("name", [*OF_JOINT, "normalised", "jensen_shannon_divergence"])
def test_gradients_are_finite_at_zero_cells(name):
    p = torch.tensor([[0.5, 0.0, 0.0], [0.0, 0.25, 0.25], [0.0, 0.0, 0.0]], dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(SMOOTH[name](p), p)
    assert torch.isfinite(slope).all()
    assert slope.abs().max() > 0


@pytest.mark.parametrize("name", OF_JOINT)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_tensors_agree_with_arrays(name, dtype):
    """Sixteenths are exact in every dtype; half precisions are summed in float32."""
    p = torch.tensor([[4, 0, 1], [2, 8, 1]], dtype=dtype) / 16
    found = OF_JOINT[name](p)
    assert isinstance(found, torch.Tensor)
    assert found.shape == ()
    assert found.dtype == (torch.float32 if dtype == torch.bfloat16 else dtype)
    expected = OF_JOINT[name](p.double().numpy())
    assert isinstance(expected, float)
    assert float(found) == pytest.approx(expected, abs=1e-12 if dtype == torch.float64 else 1e-6)


def test_an_array_meets_a_tensor():
    q = torch.tensor([0.5, 0.5], dtype=torch.float64, requires_grad=True)
    divergence = info.kl_divergence([0.25, 0.75], q)
    divergence.backward()
    assert q.grad.tolist() == pytest.approx([-0.5, -1.5])
    assert divergence.item() == pytest.approx(info.kl_divergence([0.25, 0.75], [0.5, 0.5]))


def test_whole_numbers_and_lists_are_distributions_too():
    assert info.entropy([0, 1, 0]) == 0.0
    assert float(info.entropy(torch.tensor([0, 1]))) == 0.0


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([[3, 1], [0, 6]], "sums to 10. Divide counts by their sum"),
        ([[0.5, 0.6], [0.0, 0.0]], "sums to 1.1"),
        ([[0.5, -0.1], [0.3, 0.3]], "no negative number; the least is -0.1"),
        ([[0.5, float("nan")], [0.25, 0.25]], "NaN or infinity"),
        ([0.5, 0.5], r"2 axes.*got shape \(2,\)"),
        (np.zeros((0, 2)), r"got shape \(0, 2\)"),
        ([["a", "b"]], "must hold numbers"),
        ([[0.5, 0.5], [0.0]], "different lengths"),
        (np.array([[0.5j, 0.5]]), "must hold numbers"),
    ],
)
def test_what_is_no_joint_table(bad, message):
    with pytest.raises(InputError, match=message):
        info.mutual_information(bad)


def test_other_refusals():
    with pytest.raises(InputError, match="one shape"):
        info.kl_divergence([0.5, 0.5], [0.2, 0.3, 0.5])
    with pytest.raises(InputError, match="between 0 and 1; the largest is"):
        info.self_information([0.5, 1.5])
    with pytest.raises(InputError, match="no negative"):
        info.log_odds([-0.5])
    with pytest.raises(InputError, match="leave at least one"):
        info.conditional_entropy(TABLE, given=(0, 1))
    with pytest.raises(InputError, match="axes between 0 and 1"):
        info.conditional_entropy(TABLE, given=2)
    with pytest.raises(InputError, match="kind must be one of min"):
        info.normalised_mutual_information(TABLE, "mean")
    with pytest.raises(InputError, match="3 axes"):
        info.conditional_mutual_information(TABLE)
    with pytest.raises(InputError, match="at least 2 axes"):
        info.total_correlation([0.5, 0.5])
    with pytest.raises(InputError, match="real numbers"):
        info.entropy(torch.tensor([1 + 0j]))


def test_the_sum_is_judged_by_the_precision_of_the_numbers():
    thirds = torch.full((3,), 1 / 3, dtype=torch.float32)
    assert float(info.entropy(thirds)) == pytest.approx(log(3), abs=1e-6)
    many = np.full(100_000, 1e-5, dtype=np.float32)  # sum to 1 - 2.5e-8
    assert info.entropy(many) == pytest.approx(log(100_000), abs=1e-6)
    with pytest.raises(InputError, match="sum to 1"):
        info.entropy(np.full(3, 0.333333))


def test_torch_is_not_imported():
    code = "import sys, infomax.information as i; i.entropy([0.5, 0.5]); sys.exit(bool({'torch', 'sklearn'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
