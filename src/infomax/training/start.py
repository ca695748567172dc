"""What a run begins with: an encoder, a learner around it, and an optimizer whose groups fit its parameters."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from infomax.data.pairs import Pairs
from infomax.encoders import StaticTextEncoder, TokenColumn, load_encoder
from infomax.encoders.tokenizer_training import train_tokenizer
from infomax.errors import InputError
from infomax.evaluation.vectors import is_text, prepared, sides, texts
from infomax.training.learner import Learner
from infomax.training.model_folder import load_saved, save_encoder
from infomax.training.optimizer import LazyAdam
from infomax.training.settings import Settings

# The encoder that is made where none is given. A small vocabulary (words seen often enough to be learned) with wide
# vectors retrieves better on docstrings and functions than a large one with narrow ones: recall@10 0.72 against 0.70.
VOCABULARY, DIM, MAX_TOKENS = 10_000, 512, 256
LEARNING_RATE = 0.01  # where the encoder has no usual one


def opened(encoder: Any) -> Any:
    """The encoder that a path names; anything else as it is.

    Raises:
        InputError: nothing there can be read as an encoder.
    """
    if not isinstance(encoder, str | Path):
        return encoder
    if not Path(encoder).expanduser().is_dir():
        raise InputError(
            f"There is no folder {encoder}; give that of a saved encoder, or of a Hugging Face or SentenceTransformer model "
            "(nothing is downloaded by name)."
        )
    return load_saved(Path(encoder).expanduser())


def chosen_or_usual(encoder: Any, *, chunk: Any, learning_rate: Any) -> tuple[Any, Any]:
    """Chunk and learning rate as they were given; where they were not, as the encoder is usually trained."""
    modules = encoder if isinstance(encoder, tuple | list) else [encoder]
    usual = [getattr(module, "usual", {}) for module in modules]
    chunks = [one["chunk"] for one in usual if "chunk" in one]
    rates = [one["learning_rate"] for one in usual if "learning_rate" in one]
    if chunk is None and chunks:
        chunk = min(chunks)
    if learning_rate is None:
        learning_rate = min(rates, default=LEARNING_RATE)
    return chunk, learning_rate


def check_device(device: Any) -> None:
    """Refuse a device that is not there, or holds no numbers.

    Raises:
        InputError: why, as torch says.
    """
    if device is None:
        return
    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError, TypeError) as error:
        why = str(error).splitlines()[0][:200]
        raise InputError(f"device={str(device)!r} cannot be used ({why}); try device='cpu'.") from error


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


def choose_encoder(encoder: Any, pairs: Pairs, initial: Path | None, seed: int, *, made_already: bool = False) -> Any:
    """The encoder itself, or one made from the training texts.

    Args:
        encoder: see `fit`.
        pairs: to learn from.
        initial: where an encoder made here is kept, so that a resumed run has the same tokenizer.
        seed: of the random start.
        made_already: load it from there, if it was a text encoder. (What a run left there that has no checkpoint was perhaps
            made with other settings.)
    """
    if isinstance(encoder, nn.Module | tuple | list):
        return encoder
    if made_already and initial is not None and initial.is_dir():
        return load_encoder(initial)
    both = chain(texts(pairs.anchors), texts(pairs.candidates))
    if encoder is None:
        tokenizer = train_tokenizer(both, vocabulary_size=VOCABULARY)
        made: Any = StaticTextEncoder(tokenizer, DIM, max_tokens=MAX_TOKENS, seed=seed)
    else:
        made = encoder(both)
        sides(made)
    if initial is not None and isinstance(made, StaticTextEncoder):
        save_encoder(made, initial)
    return made


def weigh(encoder: Any, pairs: Pairs) -> None:
    """Start the token weights of a `StaticTextEncoder` at idf, counted over pairs whose texts are tokenised already."""
    rows = np.arange(len(pairs))
    tokens = (prepared(encoder, column)[rows] for column in (pairs.anchors, pairs.candidates))
    encoder.weigh(*(TokenColumn(batch.ids.numpy(), batch.offsets.numpy()) for batch in tokens))


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
        {"params": [p for p in wanted if p.ndim < 2] + _of_objective(learner), "peak": rate},
        {
            "params": [p for p in learner.temperature.parameters() if p.requires_grad],
            "peak": settings.temperature_learning_rate,
        },
    ]
    return LazyAdam([group for group in groups if group["params"]], lr=rate)


def _of_objective(learner: Learner) -> list[nn.Parameter]:
    if learner.objective is None:
        return []
    encoders = set(learner.encoder.parameters())  # of which an objective may hold some as well
    return [p for p in learner.objective.parameters() if p.requires_grad and p not in encoders]
