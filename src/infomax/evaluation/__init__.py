"""Numbers on pairs that training never saw: retrieval, the information bound, BM25 beside it, and search."""

from infomax.evaluation.held_out import evaluate
from infomax.evaluation.index import Index, build_index, load_index, search
from infomax.evaluation.lexical import bm25
from infomax.evaluation.ranking import retrieval
from infomax.evaluation.result import Evaluation, Retrieval, Spearman
from infomax.evaluation.similarity import spearman
from infomax.evaluation.vectors import TwoSided, embed

__all__ = [
    "Evaluation",
    "Index",
    "Retrieval",
    "Spearman",
    "TwoSided",
    "bm25",
    "build_index",
    "embed",
    "evaluate",
    "load_index",
    "retrieval",
    "search",
    "spearman",
]
