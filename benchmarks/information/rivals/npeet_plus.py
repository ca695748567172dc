"""npeet-plus: KSG with k = 3, of labels and values by entropies of neighbours, of labels by the plug-in."""

import numpy as np
from npeet_plus import mi, micd, midd

from benchmarks.information.rival import Rival, Sample


def nats(sample: Sample) -> float:
    if sample.kind == "continuous":
        return float(mi(sample.x, sample.y, z=sample.z, base=np.e))
    if sample.kind == "discrete":
        return float(midd(sample.x, sample.y, z=sample.z, base=np.e))
    labels, values = sorted((sample.x, sample.y), key=lambda side: side.dtype != np.int64)
    if labels.dtype != np.int64 or values.dtype == np.int64:
        return float(mi(sample.x, sample.y, z=sample.z, base=np.e))  # only z is discrete
    return float(micd(values, labels, base=np.e, warning=False))


RIVAL = Rival("npeet-plus", ("npeet-plus",), nats, ("continuous", "discrete", "mixed"), conditional=True)
