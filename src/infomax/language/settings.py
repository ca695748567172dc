"""Every argument that shapes a run, checked once; two runs with equal settings and equal corpora end bit for bit equal."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

from infomax.errors import InputError
from infomax.training.settings import Real, Whole, between, check_seed, whole

MODELS = ("lstm", "log-bilinear", "ngram")
OBJECTIVES = ("mle", "nce", "ranking", "negative-sampling")
NOISES = ("unigram", "uniform", "ngram")


@dataclass(frozen=True)
class LanguageSettings:
    """See `fit_language_model` for what each means."""

    model: Any
    objective: Any
    noise: Any
    noise_draws: Whole
    alpha: Real
    log_normaliser: Any
    shared: bool
    dim: Whole
    layers: Whole
    context: Whole
    order: Whole
    dropout: Real
    tied: bool
    epochs: Whole
    batch_size: Whole
    unroll: Whole
    learning_rate: Real
    warmup: Real
    clip: Real | None
    sparse: bool | None
    patience: Whole | None
    validations_per_epoch: Whole
    seed: Whole

    def __post_init__(self) -> None:
        for name, known in (("model", MODELS), ("objective", OBJECTIVES), ("noise", NOISES)):
            if getattr(self, name) not in known:
                words = ", ".join(map(repr, known))
                raise InputError(f"{name} must be one of {words}; got {getattr(self, name)!r}.")
        whole("noise_draws", self.noise_draws, 1, "without noise there is nothing to tell the data from")
        for name in ("dim", "layers", "context", "order", "epochs", "batch_size", "unroll", "validations_per_epoch"):
            whole(name, getattr(self, name), 1)
        check_seed(self.seed)
        if self.patience is not None:
            whole("patience", self.patience, 1)
        between("alpha", self.alpha, 0, 1, closed=True)
        if not (isinstance(self.dropout, int | float) and 0 <= self.dropout < 1):
            raise InputError(f"dropout must be a number from 0 up to 1, got {self.dropout!r}.")
        between("learning_rate", self.learning_rate, 0, 1e3)
        between("warmup", self.warmup, 0, 1, closed=True)
        if self.clip is not None:
            between("clip", self.clip, 0, 1e6)
        self._check_normaliser()
        if self.objective == "negative-sampling" and self.noise == "ngram":
            raise InputError(
                "Negative sampling leaves log(k q) out of its scores, which with n-gram noise differs from context to context, "
                "so no law of words could be read from them; use objective='nce', or noise='unigram'."
            )

    def _check_normaliser(self) -> None:
        value = self.log_normaliser
        number = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
        if not number and value not in ("learned", "context"):
            raise InputError(f"log_normaliser must be a finite number, 'learned' or 'context'; got {value!r}.")
        if self.objective != "nce" and value != 0:
            raise InputError(f"log_normaliser belongs to objective='nce'; {self.objective!r} has none: leave it out.")

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)
