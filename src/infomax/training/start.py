"""What a run begins with: an encoder, a learner around it, and an optimizer whose groups fit its parameters."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

from torch import nn

from infomax.data.pairs import Pairs
from infomax.encoders import StaticTextEncoder, load_encoder
from infomax.errors import InputError
from infomax.evaluation.vectors import is_text, sides, texts
from infomax.training.learner import Learner
from infomax.training.model_folder import save_encoder
from infomax.training.optimizer import LazyAdam
from infomax.training.settings import Settings


def check_encoder(encoder: Any, pairs: Pairs) -> None:
    """Refuse what cannot encode these pairs, before anything is written or thrown away.

    Raises:
        InputError: no module, tuple of two, or function; or nothing was given and the pairs are not texts.
    """
    if encoder is None:
        if not (is_text(pairs.anchors) and is_text(pairs.candidates)):
            raise InputError(
                "The pairs are not texts, so there is no encoder to fall back on; pass a module by encoder=."
            )
    elif isinstance(encoder, nn.Module | tuple | list) or not callable(encoder):
        sides(encoder)


def choose_encoder(encoder: Any, pairs: Pairs, initial: Path | None, seed: int) -> Any:
    """The encoder itself, or one made from the training texts.

    Args:
        encoder: see `fit`.
        pairs: to learn from.
        initial: where an encoder made here is kept, so that a resumed run has the same tokenizer; if it is there
            already it is loaded.
        seed: of the random start.
    """
    if isinstance(encoder, nn.Module | tuple | list):
        return encoder
    if initial is not None and initial.is_dir():
        return load_encoder(initial)
    both = chain(texts(pairs.anchors), texts(pairs.candidates))
    made = StaticTextEncoder.from_texts(both, seed=seed) if encoder is None else encoder(both)
    sides(made)
    if initial is not None and isinstance(made, StaticTextEncoder):
        save_encoder(made, initial)
    return made


def optimizer_for(learner: Learner, settings: Settings) -> LazyAdam:
    """Three groups: matrices (with weight decay), vectors and numbers (without), and the temperature (its own rate).

    Each group's `peak` is what the schedule scales.

    Raises:
        InputError: the encoder has nothing to learn.
    """
    wanted = [p for p in learner.encoder.parameters() if p.requires_grad]
    if not wanted:
        raise InputError("The encoder has no parameter that requires a gradient, so there is nothing to learn.")
    rate, decay = settings.learning_rate, settings.weight_decay
    groups = [
        {"params": [p for p in wanted if p.ndim >= 2], "peak": rate, "weight_decay": decay},
        {"params": [p for p in wanted if p.ndim < 2], "peak": rate},
        {
            "params": [p for p in learner.temperature.parameters() if p.requires_grad],
            "peak": settings.temperature_learning_rate,
        },
    ]
    return LazyAdam([group for group in groups if group["params"]], lr=rate)
