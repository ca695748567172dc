"""Estimators of mutual information on worlds that know their answer: `python -m benchmarks.information`."""
