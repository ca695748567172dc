"""lightly's NTXentLoss, without a memory bank."""

from importlib import import_module

from torch import Tensor

from benchmarks.bare import bare_package, empty_module
from benchmarks.rival import Rival

for package in ("lightly", "lightly.models", "lightly.models.modules", "lightly.loss", "lightly.utils"):
    bare_package(package)
empty_module("lightly.models.utils")  # batch shuffling for MoCo: asks for torchvision
NTXentLoss = import_module("lightly.loss.ntx_ent_loss").NTXentLoss


def loss(_: str, q: Tensor, k: Tensor, temperature: float) -> Tensor:
    return NTXentLoss(temperature=temperature)(q, k)


RIVAL = Rival("lightly NTXentLoss", ("lightly",), loss, ("nt_xent",), normalizes=True, dense=68)
