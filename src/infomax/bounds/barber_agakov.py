"""Barber-Agakov on held-out pairs: H(Y) + E log q(y|x), where the entropy of Y is known.

Below I(X; Y) by E KL(p(y|x) || q(y|x)). Source: Barber & Agakov 2003, "The IM algorithm", equation 3.
"""

from __future__ import annotations

from math import inf, isfinite
from typing import Any

import torch

from infomax import objectives
from infomax.bounds.bound import Bound
from infomax.bounds.reading import Side, reading
from infomax.errors import InputError
from infomax.scores import Scores


@torch.no_grad()
def barber_agakov(scores: Scores, entropy: float, *, groups: Any = None) -> Bound:
    """Lower for every conditional q; equality at q = p. For discrete Y no conditional reads more than the entropy.

    Args:
        scores: log q(y_j | x_i) of held-out pairs, q normalised over y and not fitted to them.
        entropy: H(Y) in nats, differential for a density.
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups.

    >>> log_q = torch.tensor([[0.9, 0.1], [0.2, 0.8]]).log()
    >>> round(barber_agakov(Scores(log_q, torch.eye(2)), entropy=0.6931).value, 3)
    0.529
    """
    if not isfinite(entropy):
        raise InputError(f"entropy must be H(Y) in nats, a finite number; got {entropy}.")
    values = entropy - objectives.barber_agakov(scores)
    side: tuple[Side, str] = (
        "lower",
        "a lower bound in expectation, if `entropy` is H(Y), the scores are log q(y|x) of a normalised q, and the pairs "
        "are draws that q was not fitted to",
    )
    if scores.true_pairs.labels is not None:
        side = ("neither", "no bound: labels give several positives a row")
    return reading(values, 0.0, inf, side, groups)
