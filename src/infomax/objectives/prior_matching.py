"""Prior matching: codes are made to follow a prior by playing against a discriminator, in nats.

The discriminator's score is its log-odds that a vector is a draw of the prior. Its loss,

    E_prior softplus(-s) + E_codes softplus(s)        >= log 4 - 2 JSD(prior, codes), equality at s = log prior/codes,

is what the encoder raises: at the best discriminator it then lowers the Jensen-Shannon divergence, and log 4 says that the two
can no longer be told apart. For a uniform prior on (0, 1)^d end the encoder in a sigmoid and draw
`torch.rand(n, d, generator=rng)`. Sources: Hjelm et al. 2019, arXiv:1808.06670, equation 7; Makhzani et al. 2016,
arXiv:1511.05644; the loss that does not fade is Goodfellow et al. 2014, arXiv:1406.2661, section 3.
"""

from __future__ import annotations

from typing import Any

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from infomax.errors import InputError


def prior_discriminator(of_prior: Any, of_codes: Any) -> Float[Tensor, ""]:
    """() the discriminator's loss: give it codes that are detached.

    Args:
        of_prior, of_codes: (n,) or (n, 1) and (m,) or (m, 1), scores of draws of the prior and of codes.

    >>> import torch
    >>> prior_discriminator(torch.zeros(5), torch.zeros(3))  # cannot tell: log 4
    tensor(1.3863)
    """
    return -logsigmoid(_scores(of_prior, "of_prior")).mean() - logsigmoid(-_scores(of_codes, "of_codes")).mean()


def prior_matching(of_codes: Any, *, saturating: bool = True) -> Float[Tensor, " n"]:
    """(N,) the encoder's loss, lower where a code looks more like a draw of the prior.

    log(1 - D) as published; its gradient fades where the discriminator is sure. `saturating=False` is -log D, with the same
    fixed point and a gradient that does not fade.

    >>> import torch
    >>> prior_matching(torch.zeros(2)), prior_matching(torch.zeros(2), saturating=False)
    (tensor([-0.6931, -0.6931]), tensor([0.6931, 0.6931]))
    """
    s = _scores(of_codes, "of_codes")
    return logsigmoid(-s) if saturating else -logsigmoid(s)


def _scores(value: Any, name: str) -> Tensor:
    if not isinstance(value, Tensor) or not value.is_floating_point() or value.ndim not in (1, 2) or not len(value):
        came = f"{value.dtype} {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise InputError(f"{name} must be one score a vector, floating point (n,) or (n, 1); got {came}.")
    if value.ndim == 2 and value.shape[1] != 1:
        raise InputError(f"{name} must be one score a vector, (n,) or (n, 1); got {tuple(value.shape)}.")
    return value.flatten()
