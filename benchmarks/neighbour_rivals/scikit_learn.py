"""scikit-learn's mutual_info_regression: one column a side, standardised, with noise of 1e-10; negative values cut to 0."""

from sklearn.feature_selection import mutual_info_regression

from benchmarks.neighbour_rival import NeighbourRival

RIVAL = NeighbourRival(
    "scikit-learn",
    ("scikit-learn",),
    lambda x, y, k: float(mutual_info_regression(x, y[:, 0], n_neighbors=k, random_state=0)[0]),
    most_columns=1,
)
