"""The information that is left when what chance shows is taken off.

A small table of many levels shows information where there is none. With I its value, E what the same margins show when dealt
at random, and M the smaller entropy of the two sides, the most they can share, the estimate is

    M (I - E) / (M - E).

It is 0 on average for independent variables, at any sample size and any number of levels; it is M where one side determines
the other, and never more; between, E is taken off as far as there is room left. Where the room M - E is less than four
standard deviations of what chance shows (small tables), these take its place below the line, so that the estimate stays below
M even where one side determines the other, since chance reaches as much too often. I, E and M use Schürmann's terms n G(n) for
n log n (`schurmann`): E is then small already, and only the rest needs the ratio. The ratio itself is that of the adjusted
mutual information of Vinh, Epps & Bailey (2010, JMLR 11:2837), there with the plug-in terms, and as an index up to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import hypot, sqrt
from typing import Any

from infomax.information.contingency import Contingency, of_table
from infomax.information.dealt import Terms, dealt_at_random
from infomax.information.entropy_estimators import digamma_terms, n_log_n, of_terms, schurmann_terms

TELLING = 4.0  # standard deviations of chance that the room M - E must hold: the ratio of less would be a lottery

ROUNDING = 1e-5  # as a share of M; the deviation is a square root, so it knows zero to half of the digits only


@dataclass(frozen=True)
class Adjusted:
    """An estimate adjusted for chance, in nats.

    Attributes:
        nats: the estimate.
        raw: the information before the adjustment, I.
        chance: what chance shows on average, E.
        most: the smaller entropy of the two sides, M.
        deviation: standard deviation of `nats`, were x and y independent.
        mute: chance shows all that the sides can share, as where each row has a level of its own: `nats` is 0 and says nothing.
        alternating: what Schürmann's terms of changing sign have taken off `raw`.
    """

    nats: float
    raw: float
    chance: float
    most: float
    deviation: float
    alternating: float
    mute: bool

    @property
    def unsure(self) -> float:
        """How far `nats` may be off by the corrections.

        Nothing at 0 and at `most`, where it is known how much of them to take off; half of `chance`, and all of `alternating`,
        half-way. No theory gives it: it is a rule that makes intervals cover at about their level, see the guide.
        """
        part = min(max(self.nats / self.most, 0.0), 1.0) if self.most > 0 else 0.0
        return 4 * part * (1 - part) * hypot(self.chance / 2, self.alternating)


def adjusted_for_chance(seen: Sequence[Contingency]) -> Adjusted:
    """Of one table of counts; of several, weighted by their totals: conditional on which of them.

    >>> found = adjusted_for_chance([of_table([[5, 0], [0, 5]])])
    >>> found.nats == found.most
    True
    """
    total = sum(table.n for table in seen)
    raw = chance = most = variance = smooth = 0.0
    for table in seen:
        if table.constant:
            continue
        share = table.n / total
        dealt = dealt_at_random(table.rows, table.columns, schurmann_terms)
        h_x, h_y, information = _shared(table, schurmann_terms)
        raw += share * information
        chance += share * dealt.mean
        most += share * min(h_x, h_y)
        variance += (share * dealt.deviation) ** 2
        smooth += share * _shared(table, digamma_terms)[2]
    room = max(most - chance, TELLING * sqrt(variance))
    mute = not room > ROUNDING * most
    slope = 0.0 if mute else most / room
    return Adjusted(slope * (raw - chance), raw, chance, most, slope * sqrt(variance), smooth - raw, mute and most > 0)


def _shared(table: Contingency, terms: Terms) -> tuple[float, float, float]:
    """H(X), H(Y) and I(X; Y) by the terms."""
    h_x, h_y, h_xy = (of_terms(counts, terms) for counts in (table.rows, table.columns, table.cells))
    return h_x, h_y, h_x + h_y - h_xy


def expected_mutual_information(table: Any) -> float:
    """Mean plug-in mutual information, in nats, over all ways to pair the margins of an (r, c) table of counts.

    >>> round(expected_mutual_information([[1, 0], [0, 1]]), 4)  # two pairs of two levels each agree however they are dealt
    0.6931
    """
    seen = of_table(table)
    return 0.0 if seen.constant else dealt_at_random(seen.rows, seen.columns, n_log_n).mean
