"""The score matrix: rows are anchors, columns are candidates, some cells are true pairs, all others chance pairs."""

from infomax.scores.scores import Scores

__all__ = ["Scores"]
