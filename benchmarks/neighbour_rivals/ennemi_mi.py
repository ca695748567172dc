"""ennemi: SciPy's trees, one column a side."""

import numpy as np
from ennemi import estimate_mi

from benchmarks.neighbour_rival import NeighbourRival

RIVAL = NeighbourRival(
    "ennemi",
    ("ennemi",),
    lambda x, y, k: float(np.squeeze(estimate_mi(y[:, 0], x[:, 0], k=k, preprocess=False))),
    most_columns=1,
)
