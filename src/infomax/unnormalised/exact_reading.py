"""What an output layer says when every class is counted: streamed over the classes, without the matrix of logits."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import torch
from torch import Tensor

from infomax.scores import Scores


@dataclass(frozen=True)
class ExactReading:
    """What a model says of held-out targets, every class counted. In nats.

    Attributes:
        cross_entropy: mean -log p(target | context), exactly normalised.
        perplexity: its exponential.
        log_normaliser, log_normaliser_spread: mean and standard deviation of log Z(context) over the contexts: near 0 and 0
            where the model normalises itself.
        n: targets.
    """

    cross_entropy: float
    perplexity: float
    log_normaliser: float
    log_normaliser_spread: float
    n: int


@torch.no_grad()
def exact_reading(scores: Scores) -> ExactReading:
    """Of contexts (rows) against all classes (columns), the targets being the positives."""
    log_z = scores.logsumexp().double()
    nats = float((log_z - scores.positive().double()).mean())
    spread = float(log_z.std(correction=0))
    return ExactReading(nats, exp(min(nats, 700.0)), float(log_z.mean()), spread, len(log_z))


def exact_cross_entropy(scores: Scores, label_smoothing: float, eager: bool) -> Tensor:
    """(n,) -log p(target | context); with smoothing, the target has 1 - ε and all V classes share ε.

    `eager`: form the gradient of the mean in the forward pass.
    """
    losses = scores.cross_entropy(eager=eager)
    if not label_smoothing:
        return losses
    mean_logit = scores.anchors @ scores.candidates.mean(0)  # of all classes: <h, mean weight> + mean bias
    if scores.column_offset is not None:
        mean_logit = mean_logit + scores.column_offset.mean()
    return (1 - label_smoothing) * losses + label_smoothing * (losses + scores.positive() - mean_logit)
