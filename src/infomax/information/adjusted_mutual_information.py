"""The adjusted mutual information of clusterings: an index of agreement that chance leaves at 0."""

from __future__ import annotations

from typing import Any

import numpy as np

from infomax.information.chance import expected_mutual_information
from infomax.information.contingency import of_table
from infomax.information.entropy_estimators import plug_in
from infomax.information.mutual_information import normaliser


def adjusted_mutual_information(table: Any, kind: str = "arithmetic") -> float:
    """(I - E[I]) / (norm - E[I]), E over all ways to pair the margins (Vinh, Epps & Bailey 2010, JMLR 11:2837).

    1 where the two sides are the same up to names, 0 on average where they are independent, below 0 where they agree less than by
    chance. An index: for an estimate in nats see `mutual_information_from_counts`.

    Args:
        table: (r, c) how often each pair was seen.
        kind: the norm, as in `normalised_mutual_information`.

    Returns:
        0 where chance shows all there could be, such as two sides that are constant or all different.

    Raises:
        InputError: a table that is none, an unknown kind.

    >>> adjusted_mutual_information([[10, 0], [0, 10]])
    1.0
    """
    seen = of_table(table)
    h_x, h_y, h_xy = (plug_in(counts) for counts in (seen.rows, seen.columns, seen.cells))
    most = float(normaliser(np.float64(h_x), np.float64(h_y), np.float64(h_xy), kind))
    chance = expected_mutual_information(table)
    room = most - chance
    return (h_x + h_y - h_xy - chance) / room if room > 1e-12 * max(most, 1.0) else 0.0
