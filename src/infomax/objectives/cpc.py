"""Contrastive predictive coding: a context of the past is to tell the code that comes k steps later, in nats.

    loss_k = -log( e^{<W_k c_t, z_t+k>} / Σ over candidates z of e^{<W_k c_t, z>} )

Every prediction W_k c_t is an anchor and every code a candidate, so it is InfoNCE, or any other objective, of the `Scores`
that `future_scores` makes. Which codes are the candidates decides what may be read:

| negatives | candidates of a row | log(candidates) - loss |
|---|---|---|
| "batch" | codes of the same moment in the other sequences | a lower bound on I(c_t; z_t+k), at most log B |
| "time" | codes of other moments of the same sequence | no bound: neighbours in time are not independent |
| "both" | codes of all moments of all sequences | no bound, for the same reason |

"both" has the most negatives; "time" cannot be won by telling sequences (speakers) apart. Source: van den Oord et al. 2018,
arXiv:1807.03748, equations 3 and 4, and table 2 on the choice of negatives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from infomax.critics import dot
from infomax.errors import InputError
from infomax.objectives.info_nce import info_nce
from infomax.scores import Scores, checks


def cpc(
    predictions: Any,
    codes: Any,
    *,
    negatives: str = "both",
    temperature: Any = 1.0,
    objective: Callable[[Scores], Tensor] = info_nce,
) -> Float[Tensor, " k"]:
    """(K,) mean loss of each step in nats; train on their mean.

    Args:
        predictions: (B, T, K, d), of step 1 to K after each moment, as `encoders.PredictiveContext` gives them.
        codes: (B, T, d), the codes of B sequences of one length.
        negatives: "batch", "time" or "both", see above.
        objective: Scores -> a loss an anchor.

    Raises:
        InputError: shapes that do not fit, an unknown kind of negatives, as many steps as moments.

    >>> cpc(torch.zeros(4, 6, 2, 3), torch.zeros(4, 6, 3), negatives="batch")  # a constant critic: log 4
    tensor([1.3863, 1.3863])
    """
    _check(predictions, codes)
    losses = []
    for step in range(1, predictions.shape[2] + 1):
        tables = future_scores(predictions, codes, step, negatives=negatives, temperature=temperature)
        losses.append(torch.stack([objective(scores).mean() for scores in tables]).mean())
    return torch.stack(losses)


def future_scores(
    predictions: Any, codes: Any, step: Any, *, negatives: str = "both", temperature: Any = 1.0
) -> list[Scores]:
    """The score matrices of one step, true pairs on the diagonal: predictions of codes that lie `step` moments ahead.

    "batch": T - step matrices B × B, one a moment. "time": B matrices, one a sequence. "both": one matrix of all B·(T - step)
    predictions and codes, sequence by sequence.

    >>> future_scores(torch.zeros(4, 6, 2, 3), torch.zeros(4, 6, 3), 2)[0].shape
    (16, 16)
    """
    _check(predictions, codes)
    checks.one_of("negatives", negatives, ("batch", "time", "both"))
    if not (checks.is_whole(step) and 1 <= step <= predictions.shape[2]):
        raise InputError(
            f"step must be a whole number between 1 and the {predictions.shape[2]} steps predicted; got {step}."
        )
    told, future = predictions[:, :-step, step - 1], codes[:, step:]
    if negatives == "both":
        return [dot(told.flatten(0, 1), future.flatten(0, 1), temperature=temperature)]
    axis = 1 if negatives == "batch" else 0
    pairs = zip(told.unbind(axis), future.unbind(axis), strict=True)
    return [dot(c, z, temperature=temperature) for c, z in pairs]


def _check(predictions: Any, codes: Any) -> None:
    if not (
        isinstance(predictions, Tensor) and isinstance(codes, Tensor) and predictions.ndim == 4 and codes.ndim == 3
    ):
        came = [tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__ for x in (predictions, codes)]
        raise InputError(f"predictions must be (B, T, K, d) of codes (B, T, d); got {came[0]} and {came[1]}.")
    b, moments, steps, d = predictions.shape
    if codes.shape != (b, moments, d):
        raise InputError(
            f"predictions {tuple(predictions.shape)} must be of codes {(b, moments, d)}; got {tuple(codes.shape)}."
        )
    if not 1 <= steps < moments:
        raise InputError(
            f"the last step must fall into the sequence; got {steps} steps in sequences of {moments} moments."
        )
