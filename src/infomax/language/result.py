"""What fitting a language model gives back: the model, its curve beside its anchors, and its exact perplexities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from infomax.language.text_model import TextModel
from infomax.unnormalised import ExactReading


@dataclass(frozen=True)
class LanguageFitResult:
    """The outcome of `fit_language_model`. Every perplexity is exp of an exactly normalised cross-entropy.

    Attributes:
        model: at its best validation.
        history: one mapping a logged step: step, epoch, seconds, loss (of the objective, nats), learning_rate; and at validations
            validation_loss (exact, nats a token), validation_perplexity, log_normaliser and log_normaliser_spread.
        anchors: see `anchors`: "loss" belongs beside history's loss, "uniform" and "unigram" beside validation_loss.
        validation: of the model, on the part it was chosen by.
        test: on the part that was read once, at the end; None where there is none or the run was interrupted.
        uncorrected: negative sampling only: the test part read by a softmax of its bare scores, which are shifted pointwise
            mutual informations and no log-probabilities.
        baseline: Kneser-Ney of order `settings["order"]` on the test part (the validation part, where there is no other).
        information_kept: by number of draws k, the mean of k q / (p + k q) over validation tokens, p of the model and q of the
            noise: the weight that NCE's gradient at the data keeps of the likelihood's. 1 for k without end.
        sizes: tokens in "train", "validation", "test".
        unknown: share of each that is outside the vocabulary.
        settings: every argument that shaped the run.
        versions: of Python, infomax, torch, numpy and the platform.
        seconds: wall time of each phase ("count", "train", "evaluate", "save").
        warnings: plain sentences.
        path: the run folder, or None.
        interrupted: training was stopped (Ctrl-C) before its end; the checkpoint resumes it.
    """

    model: TextModel
    history: Sequence[Mapping[str, float | int]]
    anchors: Mapping[str, float]
    validation: ExactReading | None
    test: ExactReading | None
    uncorrected: ExactReading | None
    baseline: ExactReading | None
    information_kept: Mapping[int, float]
    sizes: Mapping[str, int]
    unknown: Mapping[str, float]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    seconds: Mapping[str, float] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    path: Path | None = None
    interrupted: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: everything but the model, which is in the run folder's `model`."""
        readings = ("validation", "test", "uncorrected", "baseline")
        told = {name: value and asdict(value) for name in readings for value in [getattr(self, name)]}
        names = ("anchors", "sizes", "unknown", "settings", "versions", "seconds")
        return {
            **told,
            **{name: dict(getattr(self, name)) for name in names},
            "information_kept": {str(k): share for k, share in self.information_kept.items()},
            "warnings": list(self.warnings),
            "path": None if self.path is None else str(self.path),
            "interrupted": self.interrupted,
            "history": [dict(entry) for entry in self.history],
        }
