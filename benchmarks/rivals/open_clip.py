"""open_clip's ClipLoss, on one device."""

from importlib import import_module

import torch
from torch import Tensor

from benchmarks.bare import bare_package
from benchmarks.rival import Rival

bare_package("open_clip")
clip_loss = import_module("open_clip.loss").ClipLoss()


def loss(_: str, q: Tensor, k: Tensor, temperature: float) -> Tensor:
    return clip_loss(q, k, torch.tensor(1 / temperature))


RIVAL = Rival("open_clip ClipLoss", ("open_clip_torch",), loss, ("symmetric",), dense=24)
