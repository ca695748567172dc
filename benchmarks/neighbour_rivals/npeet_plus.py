"""npeet-plus: scikit-learn's trees, any dimension. Adds noise of 1e-10 first."""

import numpy as np
from npeet_plus import mi

from benchmarks.neighbour_rival import NeighbourRival

RIVAL = NeighbourRival("npeet-plus", ("npeet-plus",), lambda x, y, k: mi(x, y, k=k, base=np.e))
