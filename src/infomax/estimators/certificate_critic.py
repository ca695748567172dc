"""The neural critic as a critic for certificates: one network, fitted to most of a sample and stopped by the rest."""

from __future__ import annotations

import numpy as np

from infomax.data.samples import Sample, Variable
from infomax.estimators.basis_critic import LogRatio, basis_critic
from infomax.estimators.canonical import gaussian_log_ratio

CHOICE_SHARE = 0.25  # of the pairs, kept apart to stop by
FEWEST = 100  # pairs below which the plain critic is fitted instead


def neural_critic(sample: Sample, rng: np.random.Generator) -> LogRatio:
    """Fit to a sample; the answer scores aligned rows: (n,) estimated log density ratios, in nats.

    It finds what `basis_critic` cannot, in a second or two for each fit; a certificate makes nine.
    """
    import torch  # late: certificates by the plain critic need no torch

    from infomax.estimators.critic.critic import CODE, HIDDEN, Critic
    from infomax.estimators.critic.features import FoldFeatures, Inputs
    from infomax.estimators.critic.network import Baseline, Batched, Critics, Sizes
    from infomax.estimators.critic.training import Schedule, train

    if len(sample) < FEWEST:
        return basis_critic(sample, rng)
    usual = Critic()
    order = rng.permutation(len(sample))
    held = max(2, round(CHOICE_SHARE * len(sample)))
    features = FoldFeatures.fit(sample.rows(order[held:]))

    def batched(inputs: Inputs) -> Batched:
        names = ("x", "y", "u", "v")
        return Batched(*(torch.from_numpy(getattr(inputs, name).astype(np.float32))[None] for name in names))

    fit, choose = (batched(features(sample.rows(rows))) for rows in (order[held:], order[:held]))
    drawn = torch.Generator().manual_seed(int(rng.integers(2**62)))
    critics = Critics.start(1, Sizes(fit.x.shape[-1], fit.y.shape[-1], HIDDEN, CODE, usual.width), drawn)
    schedule = Schedule(usual.steps, usual.batch, usual.negatives, usual.learning_rate, usual.weight_decay)
    train(critics, Baseline(torch.from_numpy(features.rho)[None]), fit, choose, schedule, drawn)

    def log_ratio(x: Variable, y: Variable) -> np.ndarray:
        inputs = features(Sample(x, y))
        rows = batched(inputs)
        with torch.no_grad():
            a, b = critics.sides(rows.x, rows.y)
            correction = critics.of_pairs(a + b)[0].numpy()
        return gaussian_log_ratio(inputs.u, inputs.v, features.rho) + correction

    return log_ratio
