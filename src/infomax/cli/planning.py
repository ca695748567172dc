"""One run of `infomax plan`. The command imports this once its arguments are parsed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from infomax.cli.console import data, note, results
from infomax.cli.learning import beginning
from infomax.cli.sources import read_source
from infomax.errors import InputError
from infomax.objectives import info_nce
from infomax.report import plan_text
from infomax.training import plan
from infomax.training.run import symmetric_info_nce
from infomax.training.start import check_device

__all__ = ["beginning", "foresee"]

_MADE_UP = 8192  # pairs, at most
_WORDS = 20_000


def foresee(
    source: str | None,
    *,
    number: int | None,
    words: int,
    reading: Mapping[str, str | None],
    encoder: Any,
    settings: Mapping[str, Any],
    one_way: bool,
    jobs: int | None,
    quiet: bool,
    json: bool,
) -> None:
    """Plan and tell.

    Args:
        source, reading: see `read_source`; None makes up texts.
        number: pairs there will be.
        words: of a made-up text.
        encoder, settings: arguments of `infomax.training.plan`.
        one_way: InfoNCE over candidates alone, instead of both ways.
        jobs: threads.
        quiet: no notes.
        json: tell a program, not a person.

    Raises:
        InputError: neither pairs nor their number, or what `fit` would refuse.
    """
    if jobs is not None:
        torch.set_num_threads(jobs)
    check_device(settings.get("device"))
    if source is None and number is None:
        raise InputError("There is nothing to plan for: name PAIRS, or say how many there will be with --pairs.")
    if source is None:
        assert number is not None
        pairs: Any = made_up(min(number, _MADE_UP), words, settings["seed"])
    else:
        pairs = read_source(source, max_pairs=None, jobs=jobs, seed=settings["seed"], quiet=quiet, **reading)
    note("measuring for some seconds", quiet=quiet)
    objective = info_nce if one_way else symmetric_info_nce
    found = plan(pairs, number=number, encoder=encoder, objective=objective, **settings)
    if json:
        data(found.to_dict())
    else:
        results(plan_text(found))


def made_up(count: int, words: int, seed: int) -> list[tuple[str, str]]:
    """Pairs of texts of `words` words on average, the words as uneven in number as those of a language (Zipf)."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, _WORDS + 1)
    edges = np.cumsum(share / share.sum())
    lengths = 1 + rng.poisson(words - 1, 2 * count)
    drawn = np.searchsorted(edges, rng.random(int(lengths.sum()))).clip(max=_WORDS - 1)
    spelled = np.array([_spelled(place) for place in range(_WORDS)])
    texts = [" ".join(part) for part in np.split(spelled[drawn], np.cumsum(lengths)[:-1])]
    return list(zip(texts[:count], texts[count:], strict=True))


def _spelled(place: int) -> str:
    """A word of its own for each place."""
    return "".join("bdfgklmnprstvzjc"[digit] + "aeiou"[digit % 5] for digit in (int(d, 16) for d in f"{place:x}"))
