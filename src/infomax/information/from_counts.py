"""Entropy and mutual information estimated from counts, each by any of the entropy estimators."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy.special import entr

from infomax.errors import InputError
from infomax.information.chance import adjusted_for_chance
from infomax.information.contingency import Contingency, of_table
from infomax.information.counts import checked_counts
from infomax.information.entropy_estimators import (
    chao_shen,
    chao_wang_jost,
    grassberger,
    james_stein,
    miller_madow,
    plug_in,
    schurmann,
    shrunk_frequencies,
)
from infomax.information.nsb import nsb
from infomax.information.units import in_base

Method = str | Callable[..., float]
ENTROPIES = (chao_shen, chao_wang_jost, grassberger, james_stein, miller_madow, nsb, plug_in, schurmann)
ADJUSTED = "adjusted"


def entropy_from_counts(
    counts: Any, method: Method = "chao_wang_jost", *, alphabet: Any = None, base: Any = None
) -> float:
    """Entropy of the distribution that the counts were drawn from.

    Args:
        counts: how often each symbol was seen, any shape; zeros are ignored.
        method: an estimator such as `miller_madow`, or its name; any function (counts, alphabet) -> nats will do.
        alphabet: number of possible symbols, where it is known; `james_stein` and `nsb` use it.
        base: of the logarithm; None for nats.

    Raises:
        InputError: counts that are no counts, an unknown method, an alphabet smaller than what was seen.

    >>> round(entropy_from_counts([4, 2, 1, 1], "plug_in", base=2), 4)
    1.75
    """
    return float(in_base(_entropy(method)(checked_counts(counts), alphabet), base))


def mutual_information_from_counts(table: Any, method: Method = ADJUSTED, *, base: Any = None) -> float:
    """Mutual information of the distribution that a contingency table was drawn from.

    Args:
        table: (r, c) how often each pair was seen; axis 0 is x, axis 1 is y. Levels that were not seen count as none.
        method: "adjusted" for chance (see `adjusted_for_chance`); or an entropy estimator or its name, which gives
            H(X) + H(Y) - H(X, Y). `james_stein` shrinks the joint table and takes the information of that; `nsb` takes the
            levels seen, and their pairs, for all there are.
        base: of the logarithm; None for nats.

    Raises:
        InputError: a table that is none, an unknown method.

    >>> round(mutual_information_from_counts([[50, 0], [0, 50]], "plug_in", base=2), 4)
    1.0
    """
    return float(in_base(information_of([of_table(table)], method), base))


def conditional_mutual_information_from_counts(table: Any, method: Method = ADJUSTED, *, base: Any = None) -> float:
    """Mutual information of x and y given z: of each z, weighted by how often it was seen.

    Args:
        table: (r, c, k) counts; axis 0 is x, axis 1 is y, axis 2 is z.
        method, base: as in `mutual_information_from_counts`.

    Raises:
        InputError: a table that is none, an unknown method.
    """
    counts = checked_counts(table)
    if counts.ndim != 3:
        raise InputError(f"a table of counts given z must have three axes, x, y and z; got shape {counts.shape}.")
    layers = [of_table(layer) for layer in np.moveaxis(counts, 2, 0) if layer.any()]
    return float(in_base(information_of(layers, method), base))


def information_of(seen: Sequence[Contingency], method: Method) -> float:
    """Mutual information in nats, by `method`, of one table; the mean of several, weighted by their totals."""
    if method == ADJUSTED:
        return adjusted_for_chance(seen).nats
    entropy, total = _entropy(method, others=(ADJUSTED,)), sum(table.n for table in seen)
    return sum((table.n / total * _of_entropies(table, entropy) for table in seen if not table.constant), 0.0)


def _entropy(method: Any, others: tuple[str, ...] = ()) -> Callable[..., float]:
    if callable(method):
        return method
    found = [known for known in ENTROPIES if known.__name__ == method]
    if not found:
        names = ", ".join([*others, *(known.__name__ for known in ENTROPIES)])
        raise InputError(f"method must be a function of counts, or one of {names}; got {method!r}.")
    return found[0]


def _of_entropies(seen: Contingency, entropy: Callable[..., float]) -> float:
    if entropy is james_stein:
        return _of_shrunk(seen)
    r, c = len(seen.rows), len(seen.columns)
    return entropy(seen.rows, r) + entropy(seen.columns, c) - entropy(seen.cells, r * c)


def _of_shrunk(seen: Contingency) -> float:
    """One weight for the joint table and so for its margins: shrunk apart they would not be of one table."""
    size = len(seen.rows) * len(seen.columns)
    joint, unseen = shrunk_frequencies(seen.cells, size)
    weight = unseen * size
    rows, columns = (weight / len(side) + (1 - weight) * side / seen.n for side in (seen.rows, seen.columns))
    h_joint = entr(joint).sum() + (size - len(joint)) * entr(unseen)
    return float(entr(rows).sum() + entr(columns).sum() - h_joint)
