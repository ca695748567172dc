"""Input on which neighbours are misled: right answers, cautions as data, or plain refusals; never a silent number."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from brute_force import pairs

from infomax.errors import InputError
from infomax.estimators import KSG, MixedKSG, Ross

RNG = np.random.default_rng(0)
NORMAL = RNG.normal(size=(200, 3))
LABEL = RNG.integers(0, 3, 200)


def measure(estimator, sample):
    return estimator.measure(sample, np.random.default_rng(0))


def kinds(measured) -> list[str]:
    return [caution.kind for caution in measured.cautions]


@pytest.mark.parametrize(
    ("estimator", "sample"),
    [
        (KSG(), pairs(np.full(200, 1e300), NORMAL[:, 0])),
        (KSG(), pairs(NORMAL[:, 0], np.zeros(200), NORMAL[:, 1])),
        (Ross(), pairs(np.ones(200), LABEL, dy=True)),
        (Ross(), pairs(np.zeros(200), NORMAL[:, 0], dx=True)),
        (MixedKSG(), pairs(np.ones((200, 2)), NORMAL, dx=[True, False])),
    ],
)
def test_a_constant_side_tells_nothing(estimator, sample):
    measured = measure(estimator, sample)
    assert measured.nats == 0.0
    assert kinds(measured) == ["constant"]
    assert not measured.local.any()


def test_a_constant_feature_and_a_rare_label():
    """scikit-learn #30772: 0.2146 nats where the entropy of the label is 0.001."""
    label = (np.arange(20_000) < 2).astype(float)
    assert measure(Ross(), pairs(np.ones(20_000), label, dy=True)).nats == 0.0
    noise = np.random.default_rng(0).normal(size=20_000)
    assert abs(measure(Ross(), pairs(noise, label, dy=True)).nats) < 0.002


def test_a_constant_column_beside_others_changes_nothing():
    constant = np.column_stack([NORMAL[:, 0], np.full(200, 3.0)])
    for scale in ("normal scores", "standard", "none"):
        plain = measure(KSG(scale=scale), pairs(NORMAL[:, 0], NORMAL[:, 1])).nats
        assert measure(KSG(scale=scale), pairs(constant, NORMAL[:, 1])).nats == pytest.approx(plain, abs=1e-12)


def test_a_constant_given_changes_nothing():
    plain = measure(KSG(), pairs(NORMAL[:, 0], NORMAL[:, 1])).nats
    for discrete in (True, False):
        given = pairs(NORMAL[:, 0], NORMAL[:, 1], np.ones(200), dz=discrete)
        assert measure(KSG(), given).nats == pytest.approx(plain, abs=1e-12)


@pytest.mark.parametrize("estimator", [KSG(), KSG(variant=2), KSG(queries=190)], ids=str)
def test_ksg_refuses_point_masses(estimator):
    x, y = NORMAL[:, 0].copy(), NORMAL[:, 1].copy()
    x[:20] = y[:20] = 0.0
    with pytest.raises(InputError, match=r"20 of 200 rows have 3 others equal .* MixedKSG|of 190 rows .* MixedKSG"):
        measure(estimator, pairs(x, y))
    assert measure(MixedKSG(), pairs(x, y)).nats > 0.1


def test_ross_refuses_point_masses_within_a_level():
    y = NORMAL[:, 0].copy()
    y[np.flatnonzero(LABEL == 1)[:10]] = 0.0
    with pytest.raises(InputError, match=r"10 of 200 rows are equal .* MixedKSG"):
        measure(Ross(), pairs(LABEL, y, dx=True))


def test_an_outlier_that_flattens_a_column_is_told_and_no_matter_in_ranks():
    x, y = NORMAL[:, 0].copy(), NORMAL[:, 0] + 0.1 * NORMAL[:, 1]
    x[0] = 1e300
    flattened = measure(KSG(scale="standard"), pairs(x, y))
    assert kinds(flattened) == ["scale"]
    assert flattened.nats < 0.1  # the column might as well be constant
    in_ranks = measure(KSG(), pairs(x, y))
    assert in_ranks.nats > 1.5
    assert kinds(in_ranks) == []


def test_ties_are_told():
    rounded = pairs(NORMAL[:, 0].round(1), NORMAL[:, 1])
    (caution,) = measure(KSG(), rounded).cautions
    assert caution.kind == "ties"
    assert "x column 'x0'" in caution.text
    assert "MixedKSG" in caution.text
    whole = measure(KSG(), pairs(RNG.integers(0, 99, 200), NORMAL[:, 1])).cautions
    assert "all whole numbers" in whole[0].text
    assert kinds(measure(KSG(), pairs(NORMAL[:, 0], NORMAL[:, 1]))) == []
    assert kinds(measure(MixedKSG(), rounded)) == []


def test_levels_seen_once_are_left_out_and_counted():
    label = LABEL.copy()
    label[:5] = np.arange(10, 15)
    for estimator in (Ross(), MixedKSG()):
        measured = measure(estimator, pairs(label, NORMAL[:, 0], dx=True))
        assert kinds(measured) == ["single levels"]
        assert "5 of 200 rows" in measured.cautions[0].text
        assert measured.nats == pytest.approx(measure(Ross(), pairs(LABEL[5:], NORMAL[5:, 0], dx=True)).nats)
        with pytest.raises(InputError, match="identifier"):
            measure(estimator, pairs(np.arange(200), NORMAL[:, 0], dx=True))


def test_small_strata_are_left_out_and_counted():
    level = np.append(np.zeros(197), [1, 1, 2])
    measured = measure(KSG(), pairs(NORMAL[:, 0], NORMAL[:, 1], level, dz=True))
    assert kinds(measured) == ["small strata"]
    assert "3 of 200 rows" in measured.cautions[0].text
    assert measured.nats == pytest.approx(measure(KSG(), pairs(NORMAL[:197, 0], NORMAL[:197, 1])).nats)
    assert measured.local is None
    with pytest.raises(InputError, match=r"at least 4\s+rows there"):
        measure(KSG(), pairs(NORMAL[:, 0], NORMAL[:, 1], np.arange(200) // 3, dz=True))


def test_random_rows_of_strata():
    level = np.arange(200) % 2
    sample = pairs(NORMAL[:, 0], NORMAL[:, 1] + level, level, dz=True)
    measured = measure(KSG(queries=100), sample)
    assert measured.standard_error > 0
    assert abs(measured.nats - measure(KSG(), sample).nats) < 4 * measured.standard_error


@pytest.mark.parametrize("n", [1, 2, 3, 4])
def test_too_few_rows(n):
    continuous = pairs(np.arange(n) ** 2.0, np.arange(n) * 1.5)
    labelled = pairs(np.zeros(n), np.arange(n) * 1.5, dx=True)
    for estimator, sample in ((KSG(), continuous), (Ross(), labelled), (MixedKSG(), continuous)):
        if n <= 3:
            with pytest.raises(InputError, match=f"at least 4 rows; got {n}. Use more rows or a smaller k"):
                measure(estimator, sample)
        else:
            assert np.isfinite(measure(estimator, sample).nats)


@pytest.mark.parametrize(
    ("estimator", "sample", "message"),
    [
        (KSG(k=0), pairs(NORMAL[:, 0], NORMAL[:, 1]), "k must be a whole number of neighbours, at least 1; got 0"),
        (KSG().set_params(k=2.5), pairs(NORMAL[:, 0], NORMAL[:, 1]), "got 2.5"),
        (KSG(scale="ranks"), pairs(NORMAL[:, 0], NORMAL[:, 1]), "scale must be one of 'normal scores', 'standard'"),
        (KSG(variant=3), pairs(NORMAL[:, 0], NORMAL[:, 1]), "variant must be 1, or 2 where nothing is given; got 3"),
        (KSG(variant=2), pairs(*NORMAL.T), "variant must be 1"),
        (KSG(queries=1), pairs(NORMAL[:, 0], NORMAL[:, 1]), "queries must be a whole number of rows, at least 2"),
        (KSG(), pairs(LABEL, NORMAL[:, 1], dx=True), "x has discrete ones: use Ross"),
        (KSG(), pairs(NORMAL[:, 0], NORMAL[:, 1], NORMAL[:, :2], dz=[True, False]), "columns of both: use MixedKSG"),
        (MixedKSG(ties="jitter"), pairs(NORMAL[:, 0], NORMAL[:, 1]), "ties must be 'spread'"),
        (MixedKSG(scale="none"), pairs(NORMAL[:, 0], NORMAL[:, 1]), "or 'count'; got 'spread' with scale='none'"),
        (Ross(), pairs(NORMAL[:, 0], NORMAL[:, 1]), "x is continuous and y is continuous. Use KSG"),
        (Ross(), pairs(LABEL, NORMAL[:, 0], NORMAL[:, 1], dx=True), "this one is continuous: use MixedKSG"),
    ],
)
def test_settings_that_cannot_be(estimator, sample, message):
    with pytest.raises(InputError, match=message):
        measure(estimator, sample)


def test_input_is_left_as_it_was():
    sample = pairs(NORMAL[:, 0], NORMAL[:, 1], NORMAL[:, 2])
    before = [side.values.copy() for side in (sample.x, sample.y, sample.z)]
    for scale in ("none", "standard", "normal scores"):
        measure(KSG(scale=scale), sample)
    for values, side in zip(before, (sample.x, sample.y, sample.z), strict=True):
        assert np.array_equal(values, side.values)


def test_titles_name_the_settings():
    assert KSG().title == "KSG 1, k = 3, normal scores"
    assert KSG(5, 2, "none").title == "KSG 2, k = 5, columns as they are"
    assert Ross(k=4).title == "Ross, k = 4"
    assert MixedKSG(k=4).title == "mixed KSG, k = 4"
