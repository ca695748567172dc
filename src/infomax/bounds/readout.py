"""What a contrastive loss says about mutual information, in words that are true."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch

from infomax.bounds.bound import NATS_PER_BIT, finite
from infomax.bounds.info_nce import info_nce
from infomax.scores import Scores


@dataclass(frozen=True)
class Readout:
    """A loss read as information. All scores and informations in nats; `bits` converts.

    Attributes:
        loss: mean loss a row.
        ceiling: mean log of the live candidates a row; no InfoNCE value exceeds it.
        bound: ceiling - loss.
        side: "lower bound" when the value is one, "score" when a mask, a hard negative or a stale queue voids the word.
        standard_error: of the bound, over rows (over groups where they are given).
        saturation: bound / ceiling; near 1 the batch is too small to tell more.
        top1: share of the rows whose positive has the highest score (ties count as misses).
        effective_negatives: mean over rows of (Σ w)² / Σ w² with w = exp(score) of the row's negatives, Kish's
            effective sample size: how many negatives the gradient hears.
        mean_positive, mean_negative: mean scores of true and of chance pairs.
        rows, candidates: N, and the mean number of live candidates a row.
        reason: why `side` is what it is.
        warnings: plain sentences.
    """

    loss: float
    ceiling: float
    bound: float
    side: Literal["lower bound", "score"]
    standard_error: float
    saturation: float
    top1: float
    effective_negatives: float
    mean_positive: float
    mean_negative: float
    rows: int
    candidates: float
    reason: str
    warnings: tuple[str, ...] = ()

    @property
    def bits(self) -> float:
        """The bound in bits."""
        return self.bound / NATS_PER_BIT

    def to_dict(self) -> dict[str, Any]:
        """Plain data for strict JSON; a number that JSON does not know (NaN) is None."""
        return finite(asdict(self) | {"bits": self.bits})

    def __str__(self) -> str:
        nats, bits = (round(value, 3) + 0.0 for value in (self.bound, self.bits))  # never "-0.000"
        line = f"{nats:.3f} nats ({bits:.3f} bits) of at most {self.ceiling:.3f} nats"
        line += f", standard error {self.standard_error:.3f}: {self.side}"
        return "\n".join([line, *(f"warning: {warning}" for warning in self.warnings)])


@torch.no_grad()
def readout(scores: Scores, *, groups: Any = None) -> Readout:
    """Read the scores of pairs as information.

    The word "lower bound" holds for pairs that the critic was not fitted to: on a training batch the same number is an
    optimistic one. One reading costs six streamed passes.

    Args:
        scores: anchors against candidates.
        groups: (N,) integers; rows of one group are not independent (pairs from one file, say). `reason` then says
            what that makes of the bound.

    Source: van den Oord et al. 2018, arXiv:1807.03748; effective sample size: Kish 1965.

    >>> print(readout(Scores(torch.zeros(4, 2), torch.zeros(4, 2))))
    0.000 nats (0.000 bits) of at most 1.386 nats, standard error 0.000: lower bound
    warning: the loss sits at its ceiling, log 4 = 1.386 nats: nothing is learned yet, or there is nothing to learn
    """
    bound = info_nce(scores, groups=groups)
    counts = scores.counts().double()
    negatives = counts - scores.true_pairs.positive_counts()
    effective = (2 * scores.logsumexp(positives="out") - scores.logsumexp(beta=2.0, positives="out")).double().exp()
    lower = bound.side == "lower"
    return Readout(
        loss=bound.ceiling - bound.value,
        ceiling=bound.ceiling,
        bound=bound.value,
        side="lower bound" if lower else "score",
        standard_error=bound.standard_error,
        saturation=bound.value / bound.ceiling,
        top1=float((scores.rank() == 0).double().mean()),
        effective_negatives=float(effective.mean()),
        mean_positive=float(scores.positive().double().mean()),
        mean_negative=float(scores.total(lambda s: s).double().sum() / negatives.sum()),
        rows=len(counts),
        candidates=float(counts.mean()),
        reason=bound.assumption,
        warnings=tuple(_warnings(bound.value, bound.ceiling, bound.standard_error, float(counts.mean()))),
    )


def _warnings(value: float, ceiling: float, error: float, candidates: float) -> list[str]:
    at = f"log {candidates:.0f} = {ceiling:.3f} nats"
    margin = 2 * error if error == error else 0.0
    if value < -max(margin, 1e-3 * ceiling):
        return [
            f"the loss is above its ceiling, {at}, which a constant critic would reach: the critic is too sure of these pairs "
            "(fitted too closely to others, or too low a temperature), so the value says nothing of the information"
        ]
    if value <= max(margin, 1e-3 * ceiling):
        return [f"the loss sits at its ceiling, {at}: nothing is learned yet, or there is nothing to learn"]
    if value > ceiling - max(margin, 0.05 * ceiling):
        return [f"the value sits at its ceiling, {at}: compare with more candidates to see more information"]
    return []
