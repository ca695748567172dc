"""What a table shows by chance: the plug-in mutual information of independent variables, and an estimate without it.

With both margins held fixed and the pairs dealt at random, each cell is hypergeometric, so the expected plug-in
information is an exact sum (Vinh, Epps & Bailey 2010, JMLR 11:2837).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import entr


def expected_mutual_information(table: Any) -> float:
    """E of the plug-in mutual information, in nats, over all ways to pair the margins of the table."""
    from sklearn.metrics.cluster import expected_mutual_information as of_margins

    counts = np.asarray(table)
    if min(counts.shape) == 1:
        return 0.0
    return max(float(of_margins(csr_matrix(counts), int(counts.sum()))), 0.0)


def adjusted(table: Any) -> float:
    """The plug-in mutual information, without what chance shows: M (I - E) / (M - E), in nats.

    E is what the margins show when paired at random, M the smaller entropy of the two margins, the most they could share.
    Independent variables give 0 on average at any size; a function of the other side keeps its whole entropy. Where chance
    shows as much as there could be (every symbol seen once) nothing can be told: 0.
    """
    counts = np.asarray(table)
    shares = counts / counts.sum()
    h_x, h_y = entr(shares.sum(1)).sum(), entr(shares.sum(0)).sum()
    information, most, chance = h_x + h_y - entr(shares).sum(), min(h_x, h_y), expected_mutual_information(counts)
    if most - chance <= 1e-9 * max(most, 1.0):
        return 0.0
    return float(most * (information - chance) / (most - chance))
