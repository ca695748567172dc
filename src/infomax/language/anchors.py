"""What a loss is when nothing has been learned yet: the number to read a loss beside."""

from __future__ import annotations

from math import log
from typing import Any

import numpy as np

from infomax.objectives import binary_nce_anchor


def anchors(objective: str, draws: int, counts: Any) -> dict[str, float]:
    """In nats: "loss", of a model that equals its noise (mle: that knows nothing), "uniform" and "unigram".

    The first is what the training loss starts at; the others are cross-entropies, for the validation loss: log V of a model
    that knows nothing, and the entropy of the words' frequencies, of one that knows those alone.

    Args:
        objective: "mle", "nce", "ranking" or "negative-sampling".
        draws: k.
        counts: (V,) how often each token occurs.

    >>> {name: round(value, 4) for name, value in anchors("nce", 1, [2, 1, 1]).items()}
    {'loss': 1.3863, 'uniform': 1.0986, 'unigram': 1.0397}
    """
    p = np.asarray(counts, dtype=np.float64)
    p = p[p > 0] / p.sum()
    uniform, unigram = log(len(np.asarray(counts))), float(-(p * np.log(p)).sum())
    loss = {"mle": uniform, "ranking": log(draws + 1)}.get(objective, binary_nce_anchor(draws))
    return {"loss": loss, "uniform": uniform, "unigram": unigram}
