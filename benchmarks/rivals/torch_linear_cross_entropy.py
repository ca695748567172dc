"""torch's own chunked form, new in 2.13, with its automatic options: the gradient is formed in the forward pass.

Without options it is the plain form.
"""

import torch
from torch import Tensor
from torch.nn import LinearCrossEntropyOptions
from torch.nn.functional import linear_cross_entropy

from benchmarks.rival import Rival


def loss(_: str, q: Tensor, k: Tensor, temperature: float) -> Tensor:
    return linear_cross_entropy(q / temperature, k, torch.arange(len(q)), options=LinearCrossEntropyOptions())


RIVAL = Rival("torch linear_cross_entropy, chunked", ("torch",), loss, ("one_way",))
