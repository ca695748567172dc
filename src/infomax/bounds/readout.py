"""What a contrastive loss says about mutual information, in words that are true."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import log
from typing import Any, Literal

NATS_PER_BIT = log(2.0)


@dataclass(frozen=True)
class Readout:
    """A loss read as information. All scores and informations in nats; `bits` converts.

    Attributes:
        loss: mean loss a row.
        ceiling: mean log of the live candidates a row; no InfoNCE value exceeds it.
        bound: ceiling - loss.
        side: "lower bound" when the value is one, "score" when a mask, a hard negative or a stale queue voids that word.
        standard_error: of the bound, over rows (over groups where they are given).
        saturation: bound / ceiling; near 1 the batch is too small to tell more.
        top1: share of the rows whose positive has the highest score (ties count as misses).
        effective_negatives: mean perplexity of the softmax over the row's negatives.
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
        """Plain data for JSON."""
        return asdict(self) | {"bits": self.bits}
