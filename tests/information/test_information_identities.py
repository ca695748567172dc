"""Identities and inequalities of information theory, on random tables with holes."""

from __future__ import annotations

from math import log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infomax import information as info

CLOSE = {"rel": 1e-9, "abs": 1e-12}
BELOW = 1e-12


def law(*shape: int) -> st.SearchStrategy[np.ndarray]:
    """Distributions of this shape; about a third of the cells are 0."""
    size = int(np.prod(shape))
    weight = st.one_of(st.just(0.0), st.floats(1e-6, 1.0), st.floats(1e-6, 1.0))
    weights = st.lists(weight, min_size=size, max_size=size).filter(lambda found: sum(found) > 0)
    return weights.map(lambda found: np.reshape(found, shape) / np.sum(found))


def rows(r: int, c: int) -> st.SearchStrategy[np.ndarray]:
    """Channels: r laws over c outputs."""
    return st.lists(law(c), min_size=r, max_size=r).map(np.stack)


shapes = st.tuples(st.integers(1, 4), st.integers(1, 4))
tables = shapes.flatmap(lambda shape: law(*shape))
triples = st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 3)).flatmap(lambda shape: law(*shape))
pairs_of_laws = st.integers(1, 5).flatmap(lambda k: st.tuples(law(k), law(k)))
often = settings(max_examples=40, deadline=None, derandomize=True)


@often
@given(tables)
def test_chain_rule(p):
    assert info.joint_entropy(p) == pytest.approx(info.entropy(p.sum(1)) + info.conditional_entropy(p), **CLOSE)
    assert info.joint_entropy(p) == pytest.approx(
        info.entropy(p.sum(0)) + info.conditional_entropy(p, given=1), **CLOSE
    )


@often
@given(triples)
def test_chain_rule_of_information(p):
    """I(X; Y, Z) = I(X; Z) + I(X; Y | Z)."""
    whole = info.mutual_information(p.reshape(len(p), -1))
    parts = info.mutual_information(p.sum(1)) + info.conditional_mutual_information(p)
    assert whole == pytest.approx(parts, **CLOSE)


@often
@given(tables)
def test_mutual_information_in_three_ways(p):
    """H(X) - H(X | Y) = KL of the table from the product of its margins = H(X) + H(Y) - H(X, Y)."""
    x, y, found = p.sum(1), p.sum(0), info.mutual_information(p)
    assert found == pytest.approx(info.entropy(x) - info.conditional_entropy(p, given=1), **CLOSE)
    assert found == pytest.approx(info.kl_divergence(p, np.outer(x, y)), **CLOSE)
    assert found == pytest.approx(info.entropy(x) + info.entropy(y) - info.joint_entropy(p), **CLOSE)
    assert found == pytest.approx(info.total_correlation(p), **CLOSE)
    assert found == pytest.approx(info.interaction_information(p), **CLOSE)


@often
@given(tables)
def test_bounds_and_symmetry_of_mutual_information(p):
    found = info.mutual_information(p)
    assert -BELOW <= found <= min(info.entropy(p.sum(1)), info.entropy(p.sum(0))) + BELOW
    assert found == pytest.approx(info.mutual_information(p.T), **CLOSE)


@often
@given(pairs_of_laws)
def test_gibbs(laws):
    p, q = laws
    assert info.kl_divergence(p, q) >= -BELOW
    assert info.cross_entropy(p, q) >= info.entropy(p) - BELOW
    assert info.cross_entropy(p, q) == pytest.approx(info.entropy(p) + info.kl_divergence(p, q), **CLOSE)
    assert info.kl_divergence(p, p) == 0.0


@often
@given(pairs_of_laws)
def test_jensen_shannon(laws):
    """Symmetric, within [0, log 2], and the information of a fair coin that chooses the law."""
    p, q = laws
    found = info.jensen_shannon_divergence(p, q)
    assert found == pytest.approx(info.jensen_shannon_divergence(q, p), **CLOSE)
    assert -BELOW <= found <= log(2) + BELOW
    assert found == pytest.approx(info.mutual_information(np.stack([p, q]) / 2), **CLOSE)


@often
@given(law(3), law(4))
def test_additivity_and_independence(p, q):
    joint = np.outer(p, q)
    assert info.entropy(joint) == pytest.approx(info.entropy(p) + info.entropy(q), **CLOSE)
    assert info.mutual_information(joint) == pytest.approx(0.0, abs=BELOW)


@often
@given(tables, tables)
def test_information_of_independent_pairs_adds(p, q):
    both = np.einsum("ij,kl->ikjl", p, q).reshape(len(p) * len(q), -1)
    assert info.mutual_information(both) == pytest.approx(
        info.mutual_information(p) + info.mutual_information(q), **CLOSE
    )


@often
@given(law(3), rows(3, 3), rows(3, 2))
def test_data_processing(p, first, second):
    """X - Y - Z: I(X; Z) <= I(X; Y), and nothing of X is left in Z given Y."""
    joint = p[:, None, None] * first[:, :, None] * second[None, :, :]
    assert info.mutual_information(joint.sum(1)) <= info.mutual_information(joint.sum(2)) + BELOW
    assert info.conditional_mutual_information(joint.transpose(0, 2, 1)) == pytest.approx(0.0, abs=1e-11)


@often
@given(triples)
def test_interaction_is_the_same_whatever_is_called_z(p):
    found = info.interaction_information(p)
    for order in ((0, 1, 2), (0, 2, 1), (1, 2, 0)):
        q = p.transpose(order)
        difference = info.conditional_mutual_information(q) - info.mutual_information(q.sum(2))
        assert found == pytest.approx(difference, rel=1e-9, abs=1e-11)


@often
@given(triples)
def test_total_correlation_is_a_divergence(p):
    product = np.einsum("i,j,k->ijk", p.sum((1, 2)), p.sum((0, 2)), p.sum((0, 1)))
    assert info.total_correlation(p) == pytest.approx(info.kl_divergence(p, product), **CLOSE)
    assert info.conditional_mutual_information(p) >= -BELOW


@often
@given(tables, st.sampled_from(["min", "max", "arithmetic", "geometric", "joint", "x", "y"]))
def test_normalised_lies_between_0_and_1(p, kind):
    assert -1e-6 <= info.normalised_mutual_information(p, kind) <= 1 + 1e-6


@often
@given(law(5))
def test_entropy_is_the_mean_self_information_and_at_most_the_log_of_the_symbols(p):
    seen = p[p > 0]
    assert info.entropy(p) == pytest.approx((seen * info.self_information(seen)).sum(), **CLOSE)
    assert info.entropy(p) <= log(5) + BELOW


@often
@given(st.floats(1e-9, 1 - 1e-9))
def test_log_odds_are_a_difference_of_self_informations(p):
    found = float(info.log_odds(p))
    assert found == pytest.approx(float(info.self_information(1 - p) - info.self_information(p)), rel=1e-9, abs=1e-12)
    assert found == pytest.approx(-float(info.log_odds(1 - p)), rel=1e-6, abs=1e-12)
