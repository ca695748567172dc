"""What a fit gives back: the encoder, the curve, the held-out evaluation, and what they were made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from infomax.data.pairs import ReadReport
from infomax.evaluation.result import Evaluation


@dataclass(frozen=True)
class FitResult:
    """The outcome of `infomax.fit`.

    Attributes:
        encoder: the encoder at its best validation step.
        temperature: the learned temperature.
        history: one mapping a logged step: step, epoch, seconds, loss, score (nats: ceiling - loss of the
            batch, no bound), temperature, learning_rate; and at validations validation_bound (nats), validation_loss,
            validation_ceiling.
        evaluation: on the reported split; None when evaluation was switched off.
        read: what reading kept and skipped.
        sizes: pairs in "train", "validation", "test".
        moved: "test to train" and the like -> pairs that left the side they were drawn to because of a near duplicate.
        settings: every argument that shaped the run.
        versions: of Python, infomax, torch, numpy and the platform.
        seconds: wall time of each phase ("read", "split", "tokenise", "train", "evaluate", "save").
        warnings: plain sentences.
        path: the run folder, or None.
        interrupted: training was stopped (Ctrl-C) before its end; the checkpoint resumes it.
    """

    encoder: torch.nn.Module
    temperature: float
    history: Sequence[Mapping[str, float | int]]
    evaluation: Evaluation | None
    read: ReadReport
    sizes: Mapping[str, int]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    seconds: Mapping[str, float] = field(default_factory=dict)
    moved: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    path: Path | None = None
    interrupted: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: everything but the encoder, which is in the run folder's `model`."""
        return {
            "temperature": self.temperature,
            "evaluation": self.evaluation and self.evaluation.to_dict(),
            "read": asdict(self.read) | {"skipped": dict(self.read.skipped)},
            "sizes": dict(self.sizes),
            "moved": dict(self.moved),
            "settings": dict(self.settings),
            "versions": dict(self.versions),
            "seconds": dict(self.seconds),
            "warnings": list(self.warnings),
            "path": None if self.path is None else str(self.path),
            "interrupted": self.interrupted,
            "history": [dict(entry) for entry in self.history],
        }
