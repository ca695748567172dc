"""Pairs: read from files, tables and Python source; their ids and groups; splits that do not leak."""

from infomax.data.columns import TensorColumn, TextColumn
from infomax.data.pairs import Column, Pairs, ReadReport
from infomax.data.python_pairs import python_pairs
from infomax.data.read import read_pairs
from infomax.data.samples import Sample, Variable
from infomax.data.split import Split, split_pairs
from infomax.data.variables import sample

__all__ = [
    "Column",
    "Pairs",
    "ReadReport",
    "Sample",
    "Split",
    "TensorColumn",
    "TextColumn",
    "Variable",
    "python_pairs",
    "read_pairs",
    "sample",
    "split_pairs",
]
