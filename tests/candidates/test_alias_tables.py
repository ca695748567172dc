"""The table holds the law that it was given, and draws from it."""

import numpy as np
import pytest
import torch

from infomax.candidates import alias
from infomax.candidates.alias import AliasTable
from infomax.errors import InfomaxError

RNG = np.random.default_rng(0)
LAWS = {
    "one class": np.ones(1),
    "uniform": np.ones(7),
    "one of many": np.r_[np.zeros(5), 1, np.zeros(3)],
    "zipf": 1 / np.arange(1, 1001),
    "rising": np.arange(1, 1001.0),
    "sparse": RNG.integers(0, 2, 500) + np.eye(1, 500)[0],
    "peaked": RNG.dirichlet(np.full(300, 0.05)),
    "two heavy in a row": np.array([5, 5, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01]),
    "drained by one": np.array([0.01, 1.2, 1.1, 1.05, 0.64]),
}


@pytest.mark.parametrize("name", LAWS)
def test_the_table_is_the_law(name):
    p = LAWS[name] / LAWS[name].sum()
    table = AliasTable(p)
    np.testing.assert_allclose(table.law(), p, rtol=1e-12, atol=1e-17)
    assert (table.shares >= 0).all()
    assert (table.shares <= 1).all()


def test_roundings_of_prefix_sums_do_not_add_up():
    n = 2**20
    exact = 0.1 * np.arange(1, n + 1)  # each rounded once
    roundings = abs(alias._prefix_sums(np.full(n, 0.1)) - exact).max() / np.spacing(exact[-1])
    assert roundings < 2 * n**0.5  # in blocks and over them; one after the other they are 0.1 n here, all to one side


@pytest.mark.parametrize("dtype", [np.longdouble, np.float64])  # float64: machines that have nothing longer
def test_the_table_of_a_million_classes_is_the_law_in_any_precision(dtype):
    p = np.floor(1e12 * np.arange(1.0, 1e6) ** -1.6) + 1
    p /= p.sum()
    assert alias._missed(*alias._sweep(p.astype(dtype)), p) < alias.tolerance(len(p), dtype)


@pytest.mark.parametrize("name", ["zipf", "peaked", "sparse"])
def test_draws_have_the_law(name):
    p = LAWS[name] / LAWS[name].sum()
    n = 200_000
    counts = np.bincount(AliasTable(p).draw((n,), torch.Generator().manual_seed(1)), minlength=len(p))
    assert not counts[p == 0].any()
    p, counts = p[p > 0], counts[p > 0]
    seen = p * n > 5
    pearson = ((counts - n * p) ** 2 / (n * p))[seen].sum()
    assert abs(pearson - seen.sum()) < 5 * (2 * seen.sum()) ** 0.5  # chi-square: mean df, variance 2 df


def test_a_table_that_misses_its_law_is_refused(monkeypatch):
    def swept(p):
        shares, others = sweep(p)
        return shares, np.zeros_like(others)

    sweep = alias._sweep
    monkeypatch.setattr(alias, "_sweep", swept)
    with pytest.raises(InfomaxError, match="misses its law"):
        AliasTable(LAWS["rising"] / LAWS["rising"].sum())


@pytest.mark.slow
def test_ten_million_classes_are_all_reachable():
    """Past 2**24, where a float32 sum stands still, the last class is drawn as often as its law says."""
    classes = 2**24 + 1000
    p = np.full(classes, 0.5 / (classes - 1))
    p[-1] = 0.5
    table = AliasTable(p)
    draws = table.draw((20_000,), torch.Generator().manual_seed(0))
    last = (draws == classes - 1).float().mean()
    assert abs(float(last) - 0.5) < 5 * 0.5 / 20_000**0.5
    assert (draws > 2**24).sum() > 0.45 * 20_000
    others = draws[draws < classes - 1].double()
    assert abs(float(others.mean()) / classes - 0.5) < 5 * (1 / 12 / len(others)) ** 0.5
