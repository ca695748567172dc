"""Views of texts: some words left out, a run of words, or words a little out of order. Words are what white space parts.

Source: Wu et al. 2020 (CLEAR), arXiv:2012.15466; Wei & Zou 2019, arXiv:1901.11196.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from infomax.data.views.checks import share
from infomax.errors import InputError


def drop_words(texts: Sequence[str], rng: torch.Generator, rate: float = 0.1) -> list[str]:
    """Each word left out with probability `rate`; a text keeps at least one, drawn at random.

    >>> drop_words(["the cat sat on the mat"], torch.Generator().manual_seed(0), 0.5)
    ['the cat on the mat']
    """
    share("rate", rate)
    return [" ".join(_kept(words, _uniform(len(words) + 1, rng), rate)) for words in _words(texts)]


def _kept(words: list[str], draws: list[float], rate: float) -> list[str]:
    kept = [word for word, draw in zip(words, draws, strict=False) if draw >= rate]
    return kept if kept or not words else [words[int(draws[-1] * len(words))]]


def crop_words(texts: Sequence[str], rng: torch.Generator, scale: tuple[float, float] = (0.5, 1.0)) -> list[str]:
    """A run of words of each text, a share of its words drawn from `scale`, from any place; at least one word.

    >>> crop_words(["the cat sat on the mat"], torch.Generator().manual_seed(0), (0.5, 0.5))
    ['sat on the']
    """
    low, high = share("scale", scale[0]), share("scale", scale[1], least=scale[0])
    cropped = []
    for words in _words(texts):
        size, place = _uniform(2, rng)
        length = max(1, round((low + size * (high - low)) * len(words)))
        first = int(place * (len(words) - length + 1))
        cropped.append(" ".join(words[first : first + length]))
    return cropped


def shuffle_words(texts: Sequence[str], rng: torch.Generator, distance: int = 3) -> list[str]:
    """The words of each text out of order, none more than `distance` places from its own.

    Word i is sorted by i + u, u uniform over 0 to distance + 1 (Lample et al. 2018, arXiv:1711.00043, section 2.3).

    >>> shuffle_words(["the cat sat on the mat"], torch.Generator().manual_seed(2), 2)
    ['cat the sat on mat the']
    """
    if distance < 0:
        raise InputError(f"distance must be at least 0; got {distance}.")
    shuffled = []
    for words in _words(texts):
        keys = [place + draw * (distance + 1) for place, draw in enumerate(_uniform(len(words), rng))]
        shuffled.append(" ".join(words[i] for i in sorted(range(len(words)), key=keys.__getitem__)))
    return shuffled


def _words(texts: Sequence[str]) -> list[list[str]]:
    if isinstance(texts, str):
        raise InputError("texts must be a list of texts; got one text: put it in a list.")
    return [text.split() for text in texts]


def _uniform(n: int, rng: torch.Generator) -> list[float]:
    return torch.rand(n, generator=rng, device=rng.device, dtype=torch.float64).tolist()
