"""The floor of torch.mm: the same tiles by the BLAS that torch was built with."""

from torch import Tensor

from benchmarks.rival import Rival
from benchmarks.rivals.floor import both_sides, products
from infomax.scores.product import mm


def loss(objective: str, q: Tensor, k: Tensor, _: float) -> None:
    products(*both_sides(objective, q, k), mm)


RIVAL = Rival("floor of torch.mm", ("torch",), loss, ("one_way", "symmetric", "nt_xent"), floor=True)
