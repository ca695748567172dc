"""What a nearest-neighbour estimate should be read with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from scipy.special import digamma

from infomax.data.samples import Sample, Variable
from infomax.estimators.estimate import Caution
from infomax.estimators.estimator import Measured
from infomax.estimators.neighbours.neighbourhoods import Part
from infomax.estimators.neighbours.settings import is_constant

TIED = 0.01  # share of repeated values from which a column is no longer taken for continuous
NEAR_CEILING = 1.0  # nats
UNEVEN = 30.0


def ceiling(n: int, k: int) -> float:
    """ψ(n) - ψ(k): the largest value that n rows and k neighbours can show, in nats."""
    return float(digamma(n) - digamma(k))


def nothing_to_tell(sample: Sample) -> Measured | None:
    """I = 0 exactly where a side is constant; None where neither is."""
    constant = [letter for letter, side in (("x", sample.x), ("y", sample.y)) if is_constant(side)]
    if not constant:
        return None
    text = f"{' and '.join(constant)} is constant in this sample: it can tell nothing, so 0 is exact."
    return Measured(0.0, local=np.zeros(len(sample)), cautions=(Caution("constant", text),))


def column_cautions(sample: Sample) -> Iterator[Caution]:
    """Ties, whole numbers and constant columns among those taken as continuous; repeated rows."""
    for letter, side in (("x", sample.x), ("y", sample.y), ("z", sample.z)):
        if side is not None:
            yield from _side_cautions(letter, side)


def _side_cautions(letter: str, side: Variable) -> Iterator[Caution]:
    for j in np.flatnonzero(~side.discrete):
        name = side.names[j] if j < len(side.names) else f"{letter}{j}"
        share = tied_share(side.values[:, j])
        if share == 1 and is_constant(side):
            continue
        if share > TIED:
            whole = ", all whole numbers" if (side.values[:, j] == np.round(side.values[:, j])).all() else ""
            yield Caution(
                "ties",
                f"{share:.0%} of the values of {letter} column {name!r} occur more than once{whole}: neighbours tie, and "
                f"the estimate may be off in either direction. Consider MixedKSG.",
            )


def scale_caution(parts: Sequence[Part]) -> Iterator[Caution]:
    """Where the middle half of one column is far narrower than that of another: distances hardly see it."""
    widths = [width for part in parts for column in part.continuous.T if (width := _middle_half(column)) > 0]
    if widths and max(widths) > UNEVEN * min(widths):
        yield Caution(
            "scale",
            f"On this scale the middle half of one column is {max(widths) / min(widths):.3g} times as wide as that of another: "
            "neighbours hardly depend on the narrow one, and the estimate may miss what it tells. Use scale='normal scores'.",
        )


def _middle_half(column: np.ndarray) -> float:
    """Between the quartiles, each the value nearest to it; as quick as a sort, which `np.percentile` is not on few rows."""
    line, quarter = np.sort(column), round((len(column) - 1) / 4)
    return float(line[-1 - quarter] - line[quarter])


def tied_share(column: np.ndarray) -> float:
    """Share of the entries of (n,) that equal another one.

    >>> tied_share(np.array([1.0, 2.0, 2.0, 3.0]))
    0.5
    """
    line = np.sort(column)
    same = line[1:] == line[:-1]
    if not same.any():
        return 0.0
    tied = np.concatenate([same, [False]]) | np.concatenate([[False], same])
    return float(tied.mean())


def ceiling_caution(nats: float, n: int, k: int) -> Iterator[Caution]:
    """Where the value is so near to the largest possible that it says 'at least'."""
    most = ceiling(n, k)
    if nats > most - NEAR_CEILING and most > 2 * NEAR_CEILING:
        yield Caution(
            "ceiling",
            f"{n:,} rows and k = {k} cannot show more than {most:.2f} nats, and the value is within {NEAR_CEILING:g} of it: "
            "x and y are nearly functions of each other, and the truth may be anything above.",
        )
