"""info-nce-pytorch, the package that most people find first."""

from info_nce import info_nce
from torch import Tensor

from benchmarks.rival import Rival


def loss(_: str, q: Tensor, k: Tensor, temperature: float) -> Tensor:
    return info_nce(q, k, temperature=temperature)


RIVAL = Rival("info-nce-pytorch", ("info-nce-pytorch",), loss, ("one_way",), normalizes=True, dense=16)
