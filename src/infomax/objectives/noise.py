"""Noise-contrastive objectives: models without a normaliser, learned by telling data from k draws of noise.

`noise_scores` makes the score matrix G = s - log(expected count), s being the model's log p̃(target | context); on it stand

    binary NCE      -log σ(G_positive) - Σ log σ(-G_noise)          optimum s = log p, whatever k and q > 0
    ranking NCE     InfoNCE of G (sampled softmax)                  optimum s = log p + c(context), whatever k and q > 0

Without the correction, binary NCE is word2vec's negative sampling, whose optimum is log p - log(k q), a pointwise mutual
information shifted by log k. Sources: Gutmann & Hyvärinen 2012, JMLR 13; Mnih & Teh 2012, arXiv:1206.6426; Ma & Collins 2018,
arXiv:1809.01812 (binary NCE of conditional models needs a normaliser for each context, ranking NCE none); Levy & Goldberg 2014.
"""

from __future__ import annotations

from math import log, log1p
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid

from infomax.candidates import Drawn
from infomax.errors import InputError
from infomax.objectives.info_nce import info_nce
from infomax.scores import Scores


def noise_scores(
    contexts: Any,
    positives: Any,
    noise: Any,
    drawn: Drawn,
    *,
    log_expected: Any,
    targets: Any = None,
    positive_bias: Any = None,
    noise_bias: Any = None,
    log_normaliser: Any = None,
) -> Scores:
    """Scores of each context's target and of its noise, less the log of how often noise would have given them.

    Args:
        contexts: (N, d).
        positives: (N, d) output vectors of the targets, `positive_bias` (N,) with them.
        noise: (k, d) output vectors of the draws, shared by all contexts, or (N, k, d); `noise_bias` likewise.
        drawn: the draws that `noise` are the vectors of. Where its hits are masked, use ranking NCE: binary NCE learns the odds.
        log_expected: (N,) log of the expected count of each target among the draws, by the same sampler.
        targets: (N,) ids, needed where the sampler's hits are masked.
        log_normaliser: what is taken off all scores of a context: a number, () or (N,); None for 0. With binary NCE: a
            number fixes the normaliser, a scalar parameter learns one, a vector c(x) one for each context. Ranking NCE
            does not see it.

    Raises:
        InputError: a target that noise never draws, or shapes that do not fit.
    """
    expected = torch.as_tensor(log_expected, device=contexts.device)
    if not bool(torch.isfinite(expected).all()):
        first = int((~torch.isfinite(expected)).nonzero()[0])
        raise InputError(
            f"noise never draws the target of row {first}, so the two cannot be told apart there: "
            "mix the noise with Uniform, or leave such targets out."
        )
    dtype = contexts.dtype if contexts.dtype in (torch.float32, torch.float64) else torch.float32
    correction = -drawn.log_expected.to(contexts.device, dtype)
    positive_offset = -expected.to(dtype) if positive_bias is None else positive_bias - expected.to(dtype)
    noise_offset = correction if noise_bias is None else noise_bias + correction
    row = None if log_normaliser is None else -torch.as_tensor(log_normaliser, device=contexts.device).to(dtype)
    common: dict[str, Any] = {
        "positives": positives,
        "positive_offset": positive_offset,
        "row_offset": None if row is None else row.expand(len(contexts)),
    }
    if drawn.ids.ndim == 2:
        if drawn.hits == "masked":
            raise InputError("draws for each row must keep their hits (independent draws): share masked draws instead.")
        return Scores(contexts, contexts[:0], negatives=noise, negative_offset=noise_offset, **common)
    if drawn.hits == "masked":
        if targets is None:
            raise InputError("this sampler's hits are masked: give the targets' ids.")
        common |= {"anchor_ids": targets, "candidate_ids": drawn.ids}
    scores = Scores(contexts, noise, column_offset=noise_offset, **common)
    return scores.allowing_no_negatives()  # as a draw of inclusions may happen to be empty


def binary_nce(scores: Scores) -> Float[Tensor, " n"]:
    """(N,) -log σ(positive) - Σ log σ(-noise), of `noise_scores`. Where model and noise agree it is log(1+k) + k·log(1+1/k).

    Consistent for unconditional models, and for conditional ones only with a normaliser free in each context. Its gradient in
    the model's scores is -k·q/(p̃+k·q) at the data and p̃/(p̃+k·q) at the noise, p̃ = e^s.

    Source: Gutmann & Hyvärinen 2012, equation 8.
    """
    return -logsigmoid(scores.positive()) + scores.total(_binary_loss_of_noise)


def ranking_nce(scores: Scores) -> Float[Tensor, " n"]:
    """(N,) InfoNCE of `noise_scores`: which of the candidates is the target? Blind to the normaliser, so consistent with any.

    Its value where model and noise agree is log(k + 1). Source: Jozefowicz et al. 2016, arXiv:1602.02410, equation 5.
    """
    return info_nce(scores)


def negative_sampling(scores: Scores) -> Float[Tensor, " n"]:
    """(N,) the form of `binary_nce` on scores that are not corrected: word2vec's. A plain `Scores`, not `noise_scores`.

    Its optimum is s = log p/q - log k, a pointwise mutual information shifted by log k where q is the marginal: an embedding
    objective, no likelihood. Source: Mikolov et al. 2013, arXiv:1310.4546, equation 4.
    """
    return binary_nce(scores)


def generalised_bce(scores: Scores, classes: int, calibration: float = 0.75) -> Float[Tensor, " n"]:
    """(N,) negative sampling whose positive has the exponent β, which undoes the overconfidence that few draws cause.

    β = α·(t·(1 - 1/α) + 1/α), α = k / (V - 1) the share of negatives that are drawn, t = `calibration`: 0 is negative sampling,
    1 estimates the probability that the full sum would have given. Source: Petrov & Macdonald 2023, arXiv:2308.07192, equation 9.
    """
    k = int(scores.counts().max()) - 1
    if not 0 <= calibration <= 1:
        raise InputError(f"calibration must lie between 0 and 1; got {calibration}.")
    if not 1 <= k < classes:
        raise InputError(f"{k} draws a row of {classes} classes: expected from 1 to classes - 1, uniform ones.")
    alpha = k / (classes - 1)
    beta = alpha * (calibration * (1 - 1 / alpha) + 1 / alpha)
    return -beta * logsigmoid(scores.positive()) + scores.total(_binary_loss_of_noise)


def binary_nce_anchor(k: int | float) -> float:
    """The loss of a model that equals its noise, in nats: nothing learned yet.

    >>> round(binary_nce_anchor(1), 4)
    1.3863
    """
    return log1p(k) + k * log(1 + 1 / k)


def _binary_loss_of_noise(s: Tensor) -> Tensor:
    return _Softplus.apply(s)


class _Softplus(torch.autograd.Function):
    """-log σ(-s) at full precision, in fewer passes over a tile, and with fewer fresh pages, than torch takes."""

    @staticmethod
    def forward(ctx: Any, s: Tensor) -> Tensor:
        ctx.save_for_backward(s)
        return s.abs().neg_().exp_().log1p_().add_(s.clamp(min=0))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return torch.sigmoid(ctx.saved_tensors[0]).mul_(gradient)
