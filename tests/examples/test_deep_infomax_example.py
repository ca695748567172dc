"""Deep InfoMax learns from digits without labels what a random start does not have."""

from __future__ import annotations

import doctest
from pathlib import Path
from statistics import mean, stdev

import torch

from infomax.encoders import ConvEncoder

ROOT = Path(__file__).parents[2]


EXAMPLE = "deep_infomax"
SEEDS = range(3)


def gain(example, seed):
    """What each probe reads from learned vectors more than from those of the same start."""
    rng = torch.Generator().manual_seed(seed)
    (images, digit), (unseen, answer) = example.digits(rng)
    start = rng.clone_state()
    learned = example.train(images, "jensen_shannon", example.Weights(), epochs=4, rng=rng)
    untrained = ConvEncoder(example.SIDE, **example.SIZES, generator=start).requires_grad_(False)
    after, before = (example.read((of(images), digit), (of(unseen), answer)) for of in (learned, untrained))
    return {name: after[name] - before[name] for name in after}


def test_probes_read_more_from_learned_vectors_than_from_their_start(example):
    """By more than four standard errors over the seeds, and by three points at least."""
    gains = [gain(example, seed) for seed in SEEDS]
    for name in example.PROBES:
        values = [row[name] for row in gains]
        assert mean(values) > max(0.03, 4 * stdev(values) / len(values) ** 0.5), (name, values)


def test_every_row_is_printed(example, capsys):
    rows = example.main(objective="info_nce", epochs=1, seed=0)
    assert list(rows) == ["pixels", "16 principal components", "vectors, untrained", "vectors, info_nce"]
    assert "599 images held out" in capsys.readouterr().out


def test_the_guide_runs_as_written():
    found = doctest.testfile(str(ROOT / "docs" / "guides" / "deep-infomax.md"), module_relative=False)
    assert found.attempted >= 15
    assert found.failed == 0
