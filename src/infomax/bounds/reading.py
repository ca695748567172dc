"""From an objective to a `Bound`: the side it has earned, and its standard error by influence functions.

The value is a mean over rows that share their candidates, so pair k enters twice: by its own row, and by what it takes
from all rows as their candidate. Its influence is the derivative of the value in the weight of pair k (Hampel 1974).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor

from infomax.bounds.bound import Bound
from infomax.bounds.info_nce import dependent, standard_error, voided
from infomax.objectives.chance import chance_counts
from infomax.scores import Scores

Side = Literal["lower", "upper", "neither"]
INDEPENDENT = "if the pairs are independent draws that the critic was not fitted to"


def reading(values: Tensor, taken: Tensor | float, ceiling: float, side: tuple[Side, str], groups: Any) -> Bound:
    """The mean of `values` (N,) as a bound.

    Args:
        taken: (N,) what each pair, as a candidate, takes from all values together.
        side: the side, and what it rests on.
    """
    values = values.double()
    word, assumption = side
    if isinstance(taken, Tensor) and word != "neither" and dependent(groups, len(values)):
        word, assumption = (
            "neither",
            "no bound: chance pairs within a group are no draws of x and y by themselves; read one pair a group, or use "
            "bounds.info_nce, which says what it bounds then",
        )
    return Bound(float(values.mean()), word, ceiling, standard_error(values - taken, groups), assumption)


def earned(scores: Scores, side: Side, assumption: str) -> tuple[Side, str]:
    """The side, unless masks, hard negatives and the like void it."""
    reason = voided(scores)
    return (side, assumption) if reason is None else ("neither", f"no bound: {reason}")


def upper_if_known(scores: Scores, exact: bool, free: str) -> tuple[Side, str]:
    """Upper where the caller says that the scores are log p(y|x), but for the `free` function; else neither."""
    if not exact:
        return "neither", "no bound: a fitted conditional may put the value on either side; an exact one makes it upper"
    known = f"an upper bound in expectation, if the scores are log p(y|x) itself{free}, and the pairs independent draws"
    return earned(scores, "upper", known)


def exp_taken(scores: Scores, offset: Tensor) -> Tensor:
    """(N,) for each pair's candidate Σ_i exp(s_ij + offset_i) / c_i over the rows it is a chance pair of, c_i being the
    chance pairs of row i; 0 where the candidates count as fixed."""
    if not candidates_are_the_pairs(scores):
        return torch.zeros_like(offset, dtype=torch.float64)
    weighted = scores.with_row_offset(offset - chance_counts(scores).to(offset.dtype).log())
    return weighted.logsumexp("anchors", positives="out")[scores.true_pairs.columns].double().exp()


def fn_taken(scores: Scores, fn: Callable[[Tensor], Tensor]) -> Tensor:
    """(N,) for each pair's candidate the mean of fn(s) over the anchors that it is a chance pair of; 0 where the
    candidates count as fixed."""
    if not candidates_are_the_pairs(scores):
        return torch.zeros(len(scores.anchors), dtype=torch.float64, device=scores.anchors.device)
    turned = scores.turned()
    counts = (turned.counts() - turned.true_pairs.positive_counts()).clamp(min=1)
    return (turned.total(fn) / counts).double()


def candidates_are_the_pairs(scores: Scores) -> bool:
    """Whether each candidate is the true one of exactly one anchor, and nothing is added to them."""
    columns = scores.true_pairs.columns
    if columns is None or len(scores.candidates) != len(scores.anchors) or scores.negatives is not None:
        return False
    return len(torch.unique(columns)) == len(columns)
