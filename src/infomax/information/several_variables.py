"""What three or more known variables share: one axis of the joint table a variable."""

from __future__ import annotations

from itertools import combinations
from typing import Any

from infomax.information.distributions import answer, distribution, x_log_y
from infomax.information.units import in_base


def total_correlation(joint: Any, *, base: Any = None) -> Any:
    """sum H(X_i) - H(X_1, ..., X_k) >= 0: KL of the table from the product of its margins (Watanabe 1960).

    Args:
        joint: a joint table of two or more axes; of two it is the mutual information.
        base: of the logarithm; None for nats.

    Raises:
        InputError: `joint` is no joint table.

    >>> round(total_correlation([[[0.5, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 0.5]]], base=2), 9)
    2.0
    """
    p = distribution(joint, "joint", least_axes=2)
    margins = sum(_entropy(p, (axis,)) for axis in range(len(p.shape)))
    return answer(in_base(margins - _entropy(p, tuple(range(len(p.shape)))), base))


def interaction_information(joint: Any, *, base: Any = None) -> Any:
    """I(X; Y | Z) - I(X; Y) of three variables, whichever of them is called z (McGill 1954).

    Positive where two tell more about the third together than apart (synergy, as in x = y XOR z), negative where they tell the
    same (redundancy). Some authors give it the other sign for three variables (co-information).

    Args:
        joint: a joint table of two or more axes; of k it is -sum over subsets S of (-1)^(k - |S|) H(S), which for two is the
            mutual information.
        base: of the logarithm; None for nats.

    Raises:
        InputError: `joint` is no joint table.

    >>> round(interaction_information([[[0.25, 0.0], [0.0, 0.25]], [[0.0, 0.25], [0.25, 0.0]]], base=2), 9)
    1.0
    """
    p = distribution(joint, "joint", least_axes=2)
    k = len(p.shape)
    subsets = (kept for size in range(1, k + 1) for kept in combinations(range(k), size))
    return answer(in_base(-sum((-1) ** (k - len(kept)) * _entropy(p, kept) for kept in subsets), base))


def _entropy(p: Any, kept: tuple[int, ...]) -> Any:
    """Of the margin over the axes kept."""
    others = tuple(axis for axis in range(len(p.shape)) if axis not in kept)
    margin = p.sum(axis=others) if others else p
    return -x_log_y(margin, margin).sum()
