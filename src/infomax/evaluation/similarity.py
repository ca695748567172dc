"""Does the cosine sort pairs as people do? Spearman's rank correlation with gold scores, as in the STS tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from infomax.data.columns import TensorColumn, TextColumn
from infomax.data.pairs import Column
from infomax.errors import InputError
from infomax.evaluation.result import Spearman
from infomax.evaluation.vectors import embed, prepared, sides


def spearman(encoder: Any, scored: Sequence[Any], *, chunk: int = 1024) -> Spearman:
    """Spearman x100 between the cosines of pairs and their gold scores.

    Args:
        encoder: a module, or a tuple of two.
        scored: (anchor, candidate, gold score) triples, texts or tensors; scores on any scale, higher for more alike.
        chunk: rows encoded at a time.

    Returns:
        value in -100 ... 100; 0 for an encoder that gives every pair the same cosine.

    Raises:
        InputError: fewer than three triples, or gold scores that are not finite numbers or are all equal.
    """
    if len(scored) < 3 or any(len(triple) != 3 for triple in scored):
        raise InputError(f"spearman needs at least three (anchor, candidate, score) triples, got {len(scored)} rows.")
    gold = _gold([triple[2] for triple in scored])
    anchor_side, candidate_side = sides(encoder)
    anchors = embed(anchor_side, prepared(anchor_side, _column([t[0] for t in scored])), chunk=chunk)
    candidates = embed(candidate_side, prepared(candidate_side, _column([t[1] for t in scored])), chunk=chunk)
    from scipy.stats import spearmanr  # late: it takes as long to import as a search takes in all

    cosines = (anchors * candidates).sum(dim=1).double().cpu().numpy()
    value = 0.0 if np.ptp(cosines) == 0 else 100.0 * float(spearmanr(cosines, gold).statistic)
    return Spearman(value=value, n=len(scored))


def _gold(scores: list[Any]) -> np.ndarray:
    try:
        gold = np.array([float(score) for score in scores])
    except (TypeError, ValueError) as error:
        raise InputError(f"The gold scores must be numbers: {error}.") from error
    if not np.isfinite(gold).all() or np.ptp(gold) == 0:
        raise InputError(
            "The gold scores must be finite and not all equal (a constant sorts nothing); check their column."
        )
    return gold


def _column(items: list[Any]) -> Column:
    return (
        TextColumn(pa.chunked_array([items], pa.string()))
        if isinstance(items[0], str)
        else TensorColumn(torch.stack(items))
    )
