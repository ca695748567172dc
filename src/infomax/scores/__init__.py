"""The score matrix: rows are anchors, columns are candidates, some cells are true pairs, all others chance pairs."""

from infomax.scores.check_distributed import check_distributed
from infomax.scores.gather import gather
from infomax.scores.scores import Scores

__all__ = ["Scores", "check_distributed", "gather"]
