"""The InfoNCE lower bound on held-out pairs: log(candidates) - loss, over all candidates.

With n independent pairs and each row compared with all n candidates, E[log n - loss] <= min(I(X; Y), log n) for every
critic that was not fitted to these pairs (van den Oord et al. 2018, arXiv:1807.03748, appendix A.1; Poole et al. 2019,
arXiv:1905.06922, equation 10). The value of one sample scatters around its expectation: read it with its standard
error.

Where only groups of pairs are independent (the functions of one file), a row's own group is among its candidates. Summed over
all rows, f(x, y_i) / mean_j f(x, y_j) is n for any fixed x, so that E[value] <= I(X; all candidates of its group) by Donsker
and Varadhan's form: what an anchor tells of its group, which is I(X; Y) where the pairs of a group are independent too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from infomax.bounds.bound import Bound
from infomax.errors import InputError
from infomax.scores import Scores

_UNSEEN = "independent draws that the critic was not fitted to"


def info_nce(scores: Scores, *, groups: Any = None) -> Bound:
    """InfoNCE over all live candidates of each row.

    Args:
        scores: of held-out pairs, by a critic that has not seen them.
        groups: (N,) integers; rows of one group are not independent, so the standard error sums over groups, and what
            the value bounds is what an anchor tells of all candidates of its group.

    >>> value = info_nce(Scores(20 * torch.eye(8), torch.eye(8)))
    >>> round(value.value, 4), round(value.ceiling, 4), value.side
    (2.0794, 2.0794, 'lower')
    """
    with torch.no_grad():
        losses = scores.cross_entropy()
        ceiling = scores.counts().double().log()
        error = standard_error(influences(scores, losses, ceiling), groups)
    value, most = (ceiling - losses.double()).mean(), ceiling.mean()
    side, assumption = side_of(scores, groups)
    return Bound(float(value), "lower" if side else "neither", float(most), error, assumption)


def side_of(scores: Scores, groups: Any = None) -> tuple[bool, str]:
    """Whether log(candidates) - InfoNCE loss is a lower bound in expectation, and why."""
    reason = voided(scores)
    if reason is not None:
        return False, f"no bound: {reason}"
    if not dependent(groups, len(scores.anchors)):
        return True, f"a lower bound in expectation, if the pairs are {_UNSEEN}"
    return True, (
        f"a lower bound in expectation, if the groups are {_UNSEEN}; where pairs of one group depend on each other, "
        "a bound on what an anchor tells of all candidates of its group"
    )


def voided(scores: Scores) -> str | None:
    """Why the row's other candidates may not be taken for draws from the marginal; None where they may."""
    pairs, n = scores.true_pairs, len(scores.anchors)
    reasons = {
        "labels give several positives a row": pairs.labels is not None,
        "a guide chooses the candidates": pairs.hidden is not None,
        "the positives are not among the candidates": pairs.own is not None,
        "the row's own negatives need not come from the marginal": scores.negatives is not None,
        "an offset reweights the candidates": scores.column_offset is not None,
        "false negatives are masked": bool((scores.counts() < scores.shape[1]).any()),
        "candidates beyond the pairs need not come from the marginal": len(scores.candidates) > n,
        "several rows share a positive": pairs.columns is not None and len(torch.unique(pairs.columns)) < n,
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def influences(scores: Scores, losses: Tensor, ceiling: Tensor) -> Tensor:
    """(N,) influence of each pair on the mean value, in nats.

    Pair k enters twice: by its own row, and as a candidate of every row, where it takes Σ_i p_ik - 1, p the softmax of
    the scores, so those column sums are over the anchors of the exp of what is left of the scores when each row's
    log-sum-exp is taken off. Where the rows' positives are not all of the candidates, once each, the candidates count
    as fixed.
    """
    values = ceiling - losses.double()
    columns = scores.true_pairs.columns
    if columns is None or len(scores.candidates) != len(values) or scores.negatives is not None:
        return values
    if len(torch.unique(columns)) < len(columns):
        return values
    taken = scores.with_row_offset(-(losses + scores.positive())).logsumexp("anchors").exp()
    return values - (taken[columns].double() - 1)


def dependent(groups: Any, n: int) -> bool:
    """Whether some of n rows share a group."""
    return groups is not None and len(torch.unique(_checked(groups, n))) < n


def _checked(groups: Any, n: int) -> Tensor:
    """(n,) integers."""
    try:
        groups = groups if isinstance(groups, Tensor) else torch.as_tensor(np.asarray(groups))
        if groups.is_floating_point():
            raise TypeError(f"{groups.dtype}")
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(
            f"groups must be integers, one a row ({error}): give np.unique(names, return_inverse=True)[1]."
        ) from error
    if groups.shape != (n,):
        raise InputError(f"groups must have one entry a row, ({n},); got {tuple(groups.shape)}.")
    return groups


def standard_error(influence: Tensor, groups: Any) -> float:
    """Of the mean of the influences; sums within groups first, as groups are what is independent."""
    n = len(influence)
    centred = influence - influence.mean()
    if groups is not None:
        _, index = torch.unique(_checked(groups, n).to(influence.device), return_inverse=True)
        centred = centred.new_zeros(int(index.max()) + 1).index_add(0, index, centred)
    independent = len(centred)
    if independent < 2:
        return float("nan")
    return float((centred.square().sum() * independent / (independent - 1)).sqrt() / n)
