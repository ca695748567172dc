"""What everybody writes: the matrix, then cross-entropy."""

from torch import Tensor

from benchmarks.objectives import OBJECTIVES
from benchmarks.rival import Rival


def loss(objective: str, q: Tensor, k: Tensor, temperature: float) -> Tensor:
    return OBJECTIVES[objective](q, k, temperature)


RIVAL = Rival("torch, plain", ("torch",), loss, ("one_way", "symmetric", "nt_xent"), dense=16)
