"""Mutual information of discrete variables, from how often their levels occur together.

The plug-in value is too high, by about (r - 1)(c - 1) / 2n for tables of r by c well-filled cells, and by far more for sparse
ones; corrections that repair each entropy by itself leave most of that. The default takes off what the same margins show by
chance (`infomax.information.chance`): over independent and dependent tables of 2 to 100 levels a side and 20 to 1,000
observations it has the least error, and it is the one whose value for independent columns is 0 on average at any size.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np

from infomax.data.samples import Sample
from infomax.errors import InputError
from infomax.estimators.estimate import Caution
from infomax.estimators.estimator import Estimator, Measured
from infomax.information.chance import Adjusted, adjusted_for_chance
from infomax.information.contingency import Contingency, of_pairs
from infomax.information.entropies import entropy
from infomax.information.from_counts import ADJUSTED, entropy_from_counts, information_of

WORTH = 0.01  # nats that unseen exceptions may cost before a word
FEW = 0.25  # chance beyond this share of what could be shared at most deserves a word


class Discrete(Estimator):
    """Mutual information of discrete x and y; given a discrete z, the mean over its levels of what x and y share there.

    The standard error is that of the mean of the log ratios (delta method), which vanishes for independent variables, plus
    the chi-squared spread that remains there, plus for the default an allowance for what was taken for chance.

    Args:
        correction: "adjusted" for chance, or an entropy estimator of `infomax.information` or its name, such as "plug_in",
            "miller_madow" or "nsb": then H(X) + H(Y) - H(X, Y).

    >>> x = np.repeat(["a", "b", "c"], 100)
    >>> y = np.where(x == "c", "a", x)
    >>> round(Discrete().estimate(x, y).nats, 2), round(Discrete().estimate(x, np.tile(["u", "v"], 150)).nats, 2)
    (0.64, -0.0)
    """

    def __init__(self, correction: str | Callable[..., float] = ADJUSTED) -> None:
        self.correction = correction

    @property
    def citation(self) -> str:  # type: ignore[override]
        """Of the correction."""
        return CITATIONS.get(self._name, "plug-in over the contingency table, corrected by a function of yours")

    @property
    def title(self) -> str:
        words = "adjusted for chance" if self._name == ADJUSTED else self._name.replace("_", "-")
        return f"contingency table, {words}"

    @property
    def _name(self) -> str:
        return self.correction if isinstance(self.correction, str) else self.correction.__name__

    def measure(self, sample: Sample, rng: np.random.Generator) -> Measured:  # noqa: ARG002
        x, y, strata = _codes(sample)
        seen, local = _by_stratum(x, y, strata)
        chance = adjusted_for_chance(seen)
        adjusted = self.correction == ADJUSTED
        nats = chance.nats if adjusted else information_of(seen, self.correction)
        return Measured(
            nats=nats,
            standard_error=_standard_error(local, seen, chance if adjusted else None),
            local=local,
            cautions=_cautions(seen, chance, len(x)),
            details=_details(seen, local, x, y, chance),
        )


CITATIONS = {
    ADJUSTED: "chance as in Vinh, Epps & Bailey 2010, JMLR 11:2837; terms of Schürmann 2004, J. Phys. A 37:L295",
    "plug_in": "maximum likelihood",
    "miller_madow": "Miller 1955",
    "grassberger": "Grassberger 2003, arXiv:physics/0307138",
    "schurmann": "Schürmann 2004, J. Phys. A 37:L295",
    "chao_shen": "Chao & Shen 2003, Environmental and Ecological Statistics 10:429",
    "chao_wang_jost": "Chao, Wang & Jost 2013, Methods in Ecology and Evolution 4:1091",
    "james_stein": "Hausser & Strimmer 2009, JMLR 10:1469",
    "nsb": "Nemenman, Shafee & Bialek 2002, NIPS 14",
}


def _codes(sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    sides = {"x": sample.x, "y": sample.y, "given": sample.z}
    for name, side in sides.items():
        if side is not None and side.kind != "discrete":
            columns = ", ".join(repr(c) for c, discrete in zip(side.names, side.discrete, strict=True) if not discrete)
            raise InputError(
                f"{name} has continuous columns ({columns}), and counting levels needs discrete ones: use an estimator for"
                f" continuous or mixed columns, declare them discrete (discrete_{name}=True; in a shell --discrete), or bin them."
            )
    return sample.x.codes(), sample.y.codes(), None if sample.z is None else sample.z.codes()


def _by_stratum(x: np.ndarray, y: np.ndarray, strata: np.ndarray | None) -> tuple[list[Contingency], np.ndarray]:
    if strata is None:
        one, local = of_pairs(x, y)
        return [one], local
    order = np.argsort(strata, kind="stable")
    seen, local = [], np.empty(len(x))
    for rows in np.split(order, np.flatnonzero(np.diff(strata[order])) + 1):
        table, local[rows] = of_pairs(x[rows], y[rows])
        seen.append(table)
    return seen, local


def _standard_error(local: np.ndarray, seen: list[Contingency], chance: Adjusted | None) -> float:
    n = len(local)
    if chance is not None:
        return sqrt(local.var() / n + chance.deviation**2 + chance.unsure**2)
    freedom = sum((len(table.rows) - 1) * (len(table.columns) - 1) for table in seen)
    return sqrt(local.var() / n + freedom / (2 * n * n))


def _details(
    seen: list[Contingency], local: np.ndarray, x: np.ndarray, y: np.ndarray, chance: Adjusted
) -> dict[str, object]:
    return {
        "levels": (len(np.unique(x)), len(np.unique(y))),
        "strata": len(seen),
        "plug_in": float(local.mean()),
        "by_chance": chance.chance,
        "entropy_x": entropy_from_counts(np.bincount(x)),
        "entropy_y": entropy_from_counts(np.bincount(y)),
    }


def _cautions(seen: list[Contingency], chance: Adjusted, n: int) -> tuple[Caution, ...]:
    found = []
    once = sum(int((table.cells == 1).sum()) for table in seen)
    if chance.mute:
        text = (
            f"Shuffled columns would show all of the {chance.most:.2f} nats that can be shared, as where each row has a level of "
            "its own: this table cannot tell none from all of it, and neither can its p-value. Merge levels, or give numbers."
        )
        found.append(Caution("ceiling", text))
    elif chance.chance > FEW * chance.most:
        text = (
            f"{n:,} pairs are few for so many levels: {once:,} of them are the only one of their kind, and shuffled columns"
            f" would show {chance.chance:.2f} of the {chance.most:.2f} nats that can be shared. Merge rare levels, or trust"
            " the p-value rather than the number."
        )
        found.append(Caution("few samples", text))
    unseen = 3 / n  # the rule of three: what n pairs without an exception leave possible, at 95 %
    cost = entropy((unseen, 1 - unseen)) if n > 3 else 0.0
    if cost > WORTH and not chance.mute and all(table.function for table in seen):
        text = (
            f"Each level of one side goes with one of the other, without exception in {n:,} pairs. Exceptions could still be 3 "
            f"in {n:,} (at 95 %), which would take about {cost:.2f} nats off; the interval does not know of them."
        )
        found.append(Caution("no exceptions", text))
    return tuple(found)
