"""What an evaluation found on the split that is reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from infomax.bounds.readout import Readout


@dataclass(frozen=True)
class Retrieval:
    """How well anchors find their candidates. `recall[k]` is the share of anchors with a positive among the first k."""

    recall: Mapping[int, float]
    mrr: float
    anchors: int
    candidates: int

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON (whose keys are strings)."""
        return asdict(self) | {"recall": {str(k): v for k, v in self.recall.items()}}


@dataclass(frozen=True)
class Spearman:
    """Spearman's rank correlation x100 between cosines and gold scores, over n scored pairs."""

    value: float
    n: int


@dataclass(frozen=True)
class Evaluation:
    """The reported, untouched split.

    Attributes:
        readout: InfoNCE over all held-out candidates, nothing masked: a lower bound on the information of the split.
        fitted, untrained, bm25: retrieval by the fitted encoder, the encoder before training, and BM25
            (None where the items are not text).
        positive_scores, negative_scores: a sample of scores of true and of chance pairs, for histograms.
        examples: for a few anchors, (anchor, true label, [(label, inner product), ...best five]); the inner product is a
            cosine where vectors were of unit length.
    """

    readout: Readout
    fitted: Retrieval
    untrained: Retrieval | None
    bm25: Retrieval | None
    positive_scores: Sequence[float] = ()
    negative_scores: Sequence[float] = ()
    examples: Sequence[tuple[str, str, Sequence[tuple[str, float]]]] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "readout": self.readout.to_dict(),
            "fitted": self.fitted.to_dict(),
            "untrained": self.untrained and self.untrained.to_dict(),
            "bm25": self.bm25 and self.bm25.to_dict(),
            "positive_scores": list(self.positive_scores),
            "negative_scores": list(self.negative_scores),
            "examples": [[anchor, label, [list(hit) for hit in hits]] for anchor, label, hits in self.examples],
        }
