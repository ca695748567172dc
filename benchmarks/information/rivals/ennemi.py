"""ennemi: KSG with k = 3 of pairs of columns, conditional too; Ross for labels."""

import numpy as np
from ennemi import estimate_mi

from benchmarks.information.rival import Rival, Sample


def nats(sample: Sample) -> float:
    found = estimate_mi(
        sample.y[:, 0],
        sample.x[:, 0],
        cond=sample.z,
        discrete_x=sample.x.dtype == np.int64,
        discrete_y=sample.y.dtype == np.int64,
        max_threads=1,
    )
    return float(found[0, 0])


RIVAL = Rival("ennemi", ("ennemi",), nats, ("continuous", "discrete", "mixed"), one_dimensional=True, conditional=True)
