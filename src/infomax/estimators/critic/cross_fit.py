"""Critics fitted crosswise: each fold's critic sees its own rows, is chosen by others, and is read on a third part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from infomax.data.samples import Sample
from infomax.estimators.canonical import gaussian_nats
from infomax.estimators.critic.features import FoldFeatures, Inputs
from infomax.estimators.critic.folds import Fold
from infomax.estimators.critic.held_out import Terms, info_nce_terms
from infomax.estimators.critic.network import Baseline, Batched, Critics, Sizes, score_table
from infomax.estimators.critic.reading import CrossFit
from infomax.estimators.critic.training import Schedule, train


def cross_fit(
    sample: Sample, folds: list[Fold], schedule: Schedule, widths: tuple[int, int, int], rng: np.random.Generator
) -> CrossFit:
    """Fits, chooses and reads the critics of the folds; `widths` of the hidden layer, the code, and the pairs' layers."""
    maps = [FoldFeatures.fit(sample.rows(fold.fit)) for fold in folds]
    inputs, correlations = [features(sample) for features in maps], [features.rho for features in maps]
    with _one_thread():
        drawn = torch.Generator().manual_seed(int(rng.integers(2**62)))
        baseline = Baseline(_padded_rho(correlations))
        fit, choose = (_batched(inputs, [getattr(fold, part) for fold in folds]) for part in ("fit", "choose"))
        sizes = Sizes(fit.x.shape[-1], fit.y.shape[-1], *widths)
        critics = Critics.start(len(folds), sizes, drawn)
        steps = train(critics, baseline, fit, choose, schedule, drawn)
        read = [
            [_terms(critics, baseline, i, inputs, rows) for i, rows in enumerate(parts)]
            for parts in ([f.report for f in folds], _seen_rows(folds), [f.choose for f in folds])
        ]
    report, training, choice = (Terms.joined(parts) for parts in read)
    order = np.argsort(np.concatenate([fold.report for fold in folds]))
    nats = [gaussian_nats(rho) for rho in correlations]
    return CrossFit(report.rows(order), training, choice, tuple(steps.tolist()), float(np.mean(nats)))


def _seen_rows(folds: list[Fold]) -> list[np.ndarray]:
    """Of each fold, rows that it was fitted to and the next fold reports on: over all folds nearly every row once."""
    return [np.intersect1d(fold.fit, after.report) for fold, after in zip(folds, folds[1:] + folds[:1], strict=True)]


def _terms(critics: Critics, baseline: Baseline, fold: int, inputs: Sequence[Inputs], rows: np.ndarray) -> Terms:
    one, start, read = critics.of_fold(fold), baseline.of_fold(fold), _batched([inputs[fold]], [rows], like=inputs)
    return info_nce_terms(lambda group: score_table(one, start, read, torch.from_numpy(group)).numpy(), len(rows))


def _batched(inputs: Sequence[Inputs], rows: list[np.ndarray], like: Sequence[Inputs] | None = None) -> Batched:
    """The rows of each fold, as many as the smallest fold has, features padded with zeros to the widest fold of all."""
    m = min(len(index) for index in rows)

    def stacked(name: str) -> torch.Tensor:
        width = max(getattr(one, name).shape[1] for one in like or inputs)
        values = np.zeros((len(inputs), m, width), dtype=np.float32)
        for fold, (one, index) in enumerate(zip(inputs, rows, strict=True)):
            own = getattr(one, name)
            values[fold, :, : own.shape[1]] = own[index[:m]]
        return torch.from_numpy(values)

    return Batched(stacked("x"), stacked("y"), stacked("u"), stacked("v"))


def _padded_rho(correlations: Sequence[np.ndarray]) -> torch.Tensor:
    width = max(len(rho) for rho in correlations)
    return torch.from_numpy(np.stack([np.pad(rho, (0, width - len(rho))) for rho in correlations]))


@contextmanager
def _one_thread() -> Iterator[None]:
    """The layers are too small to share out: more threads take more time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        # glibc learns from this allocation not to return freed blocks of up to its size to the system at every step
        torch.zeros(2**23 - 2**16)
        yield
    finally:
        torch.set_num_threads(threads)
