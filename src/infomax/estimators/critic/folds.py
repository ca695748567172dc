"""Three-way splits: rows to fit to, rows to choose by, rows to report on, every row reported on once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Fold:
    """Positions of the rows that one critic is fitted to, chosen by, and reported on. They are disjoint."""

    fit: np.ndarray
    choose: np.ndarray
    report: np.ndarray


def three_way_folds(n: int, folds: int, choice_share: float, rng: np.random.Generator) -> list[Fold]:
    """`folds` splits of n rows at random; each row is reported on in one of them.

    Args:
        choice_share: share of the rows beside the reported ones that is kept for choosing.

    >>> first, *_ = three_way_folds(12, 3, 0.25, np.random.default_rng(0))
    >>> len(first.fit), len(first.choose), len(first.report)
    (6, 2, 4)
    """
    found = []
    for report in np.array_split(rng.permutation(n), folds):
        rest = np.setdiff1d(np.arange(n), report)
        rng.shuffle(rest)
        kept = round(choice_share * len(rest))
        found.append(Fold(fit=rest[kept:], choose=rest[:kept], report=report))
    return found
