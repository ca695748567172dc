"""Pairs: read from files, tables and Python source; their ids and groups; splits that do not leak."""

from infomax.data.columns import TensorColumn, TextColumn
from infomax.data.pairs import Column, Pairs, ReadReport
from infomax.data.python_pairs import python_pairs
from infomax.data.read import read_pairs
from infomax.data.split import Split, split_pairs

__all__ = [
    "Column",
    "Pairs",
    "ReadReport",
    "Split",
    "TensorColumn",
    "TextColumn",
    "python_pairs",
    "read_pairs",
    "split_pairs",
]
