"""scikit-learn: KSG with k = 3 for two columns, Ross for a label and a column, the plug-in for two labels."""

import numpy as np
from sklearn.feature_selection import mutual_info_classif, mutual_info_regression
from sklearn.metrics import mutual_info_score

from benchmarks.information.rival import Rival, Sample


def nats(sample: Sample) -> float:
    if sample.kind == "discrete":
        return float(mutual_info_score(sample.x[:, 0], sample.y[:, 0]))
    if sample.kind == "continuous":
        return float(mutual_info_regression(sample.x, sample.y[:, 0], random_state=sample.seed)[0])
    labels, values = sorted((sample.x, sample.y), key=lambda side: side.dtype != np.int64)
    return float(mutual_info_classif(values, labels[:, 0], random_state=sample.seed)[0])


RIVAL = Rival("scikit-learn", ("scikit-learn",), nats, ("continuous", "discrete", "mixed"), one_dimensional=True)
