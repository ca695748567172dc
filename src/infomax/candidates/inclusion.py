"""Poisson sampling: each class is included on its own, at most once. Hits are masked.

The expected count of a class is its inclusion probability; with its log taken off all scores, and the target left out of the
draws, the ranking objective is consistent.
"""

from __future__ import annotations

import torch
from torch import Tensor

from infomax.candidates.checks import class_ids, draw_count
from infomax.candidates.drawn import Drawn
from infomax.candidates.independent import IndependentDraws
from infomax.candidates.sampler import Sampler
from infomax.errors import InputError


class Inclusion(Sampler):
    """Includes class w with probability min(1, k·q(w)), independently of the others; the draw's size varies around k.

    Args:
        law: gives q; its own draws are not used.

    A draw costs V coins. Shared by all rows: a draw for each row is refused.
    """

    hits = "masked"

    def __init__(self, law: IndependentDraws) -> None:
        self.law, self.classes = law, law.classes

    def draw(self, k: int, rng: torch.Generator, rows: int | None = None) -> Drawn:
        if rows is not None:
            raise InputError("Inclusion draws are shared by all rows, as their number varies: leave out `rows`.")
        everything = torch.arange(self.classes, device=rng.device)
        log_inclusion = self.log_expected(everything, k)
        coins = torch.rand(self.classes, generator=rng, dtype=torch.float64, device=rng.device)
        ids = (coins < log_inclusion.exp()).nonzero().squeeze(1)
        return Drawn(ids, log_inclusion[ids], "masked", float(log_inclusion.exp().sum()))

    def log_expected(self, ids: Tensor, k: int) -> Tensor:
        return self.law.log_expected(class_ids(ids, self.classes), draw_count(k)).clamp(max=0.0)


class Everything(Sampler):
    """All classes, each once: with it the ranking objective is the full softmax. Hits are masked, and nothing is corrected."""

    hits = "masked"

    def __init__(self, classes: int) -> None:
        self.classes = classes

    def draw(self, k: int, rng: torch.Generator, rows: int | None = None) -> Drawn:  # noqa: ARG002, one law for all
        ids = torch.arange(self.classes, device=rng.device)
        return Drawn(ids, self.log_expected(ids, k), "masked", float(self.classes))

    def log_expected(self, ids: Tensor, k: int) -> Tensor:  # noqa: ARG002
        return torch.zeros(class_ids(ids, self.classes).shape, dtype=torch.float64, device=ids.device)


def in_batch(targets: Tensor, law: IndependentDraws) -> Drawn:
    """The batch's own targets (k,) as noise: independent draws from the data's marginal, shared by all rows. Hits are kept.

    Args:
        law: the marginal of the targets, such as `Unigram(counts)`; its log q is what frequent targets are corrected by.
    """
    expected = law.log_expected(targets, len(targets))
    if expected.isneginf().any():
        never = int(targets[expected.isneginf()][0])
        raise InputError(
            f"class {never} is in the batch, but its law says never: count the targets anew, or mix in Uniform."
        )
    return Drawn(targets, expected, "kept", float(len(targets)))
