"""What a run on a corpus does: a step on a batch, a look at the validation part. The rest is `training.going`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
import torch
from torch import Tensor

from infomax.language.batches import Batch, Positions, Streams
from infomax.language.language_model import LanguageModel
from infomax.language.ngram_model import before
from infomax.language.settings import LanguageSettings
from infomax.training.going import set_rates, sound
from infomax.training.state import State

_STREAM = 2_000  # tokens at least that a validation reads in one stretch, of which the first few lack their context


@dataclass
class LanguageState(State):
    """Where a run on a corpus stands.

    Attributes:
        carried: what the network hands on to the next batch.
    """

    carried: Any = None


@dataclass(frozen=True)
class LanguageTask:
    """What is fixed in a run.

    Attributes:
        learner, optimizer: changed in place.
        feed: batches of the training part.
        validation: (L,) tokens to choose by; empty for none.
        settings: see there.
        correction: (V,) log(k q) that negative sampling leaves out of its scores; None for other objectives.
    """

    learner: LanguageModel
    optimizer: torch.optim.Optimizer
    feed: Streams | Positions
    validation: np.ndarray
    settings: LanguageSettings
    correction: Tensor | None

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch."""
        return self.feed.steps

    @property
    def steps(self) -> int:
        """Steps of the whole run, were no patience lost."""
        return self.settings.epochs * self.feed.steps

    def batches(self, epoch: int) -> range:  # noqa: ARG002, as many in every epoch
        """Numbers of an epoch's batches."""
        return range(self.feed.steps)

    def step(self, state: LanguageState, batch: int) -> dict[str, float | int]:
        """One step on one batch."""
        rate, data, model = set_rates(self, state), self.feed.batch(state.epoch, batch), self.learner
        model.train()
        self.optimizer.zero_grad(set_to_none=True)
        carried = state.carried if batch else None  # an epoch starts at the start of each stream
        hidden, carried = model.network(data.tokens, carried if data.state is None else data.state)
        loss = model.head.loss(hidden, data.targets, contexts=self._contexts(data))
        sound(float(loss.detach()), self, state, "clip gradients harder (clip)")
        loss.backward()
        norm = clip([p for p in model.parameters() if p.grad is not None], self.settings.clip or inf)
        sound(norm, self, state, "clip gradients harder (clip)", what="gradient")
        self.optimizer.step()
        state.carried = None if data.state is not None else tuple(part.detach() for part in carried)
        return {"loss": float(loss.detach()), "learning_rate": self.settings.learning_rate * rate}

    def look(self) -> tuple[float, dict[str, float]] | None:
        """The exact validation cross-entropy, negated, and what there is to log of it."""
        if not len(self.validation):
            return None
        with corrected(self.learner, self.correction):
            read = self.learner.evaluate(self.validation, streams=max(1, len(self.validation) // _STREAM))
        seen = {"validation_loss": read.cross_entropy, "validation_perplexity": read.perplexity}
        normaliser = {"log_normaliser": read.log_normaliser, "log_normaliser_spread": read.log_normaliser_spread}
        return -read.cross_entropy, seen | normaliser

    def _contexts(self, data: Batch) -> Tensor | None:
        """The words that n-gram noise looks back on, the batch's own token the last of them."""
        order = getattr(self.learner.head.noise, "order", None)
        if order is None or self.settings.objective == "mle":
            return None
        words = before(self.feed.ids, order, data.places.ravel() + 1, self.learner.vocabulary.end)
        return words.view(*data.places.shape, order - 1)


@contextmanager
def corrected(model: LanguageModel, correction: Tensor | None) -> Iterator[None]:
    """For a while, scores that estimate log p: with log(k q) added where the objective left it out."""
    if correction is None:
        yield
        return
    bias = model.head.bias.detach()
    former = bias.clone()
    bias.add_(correction)
    try:
        yield
    finally:
        bias.copy_(former)


@torch.no_grad()
def clip(parameters: list[torch.nn.Parameter], most: int | float) -> float:
    """Scale all gradients, sparse ones too, so that together their norm is at most `most`; the norm before."""
    for p in parameters:
        if p.grad is not None and p.grad.is_sparse:
            p.grad = p.grad.coalesce()
    values = [p.grad.values() if p.grad.is_sparse else p.grad for p in parameters if p.grad is not None]
    norm = float(torch.stack([value.norm() for value in values]).norm())
    if norm > most:
        for value in values:
            value.mul_(most / norm)
    return norm
