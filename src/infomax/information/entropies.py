"""Entropies of known distributions: -sum p log p and what is made of it (Shannon 1948)."""

from __future__ import annotations

from numbers import Integral
from typing import Any

from infomax.errors import InputError
from infomax.information.distributions import answer, distribution, namespace, probabilities, x_log_y
from infomax.information.units import in_base


def self_information(p: Any, *, base: Any = None) -> Any:
    """-log p of each probability: how much it tells that this came about. Infinite for 0.

    Args:
        p: probabilities of any shape; they need not sum to 1.
        base: of the logarithm; None for nats.

    Raises:
        InputError: a number that is no probability.

    >>> self_information([0.5, 0.25, 0.0], base=2).tolist()
    [1.0, 2.0, inf]
    """
    p = probabilities(p, "p")
    return in_base(-_log(p), base)


def log_odds(p: Any, *, base: Any = None) -> Any:
    """log p / (1 - p) of each probability; -inf for 0, inf for 1.

    >>> log_odds([0.5, 0.0, 1.0]).tolist()
    [0.0, -inf, inf]
    """
    p = probabilities(p, "p")
    return in_base(_log(p) - _log(1 - p), base)


def entropy(p: Any, *, base: Any = None) -> Any:
    """H = -sum p log p over all cells, 0 log 0 = 0.

    Args:
        p: probabilities that sum to 1, as an array of any number of axes, or a torch tensor.
        base: of the logarithm; None for nats.

    Returns:
        A float; for a tensor, a tensor without axes, differentiable.

    Raises:
        InputError: `p` is no distribution.

    >>> entropy([0.5, 0.25, 0.25, 0.0], base=2)
    1.5
    """
    p = distribution(p, "p")
    return answer(in_base(-x_log_y(p, p).sum(), base))


def joint_entropy(joint: Any, *, base: Any = None) -> Any:
    """H(X, Y, ...) of a joint table of two or more axes, one a variable.

    >>> joint_entropy([[0.25, 0.25], [0.25, 0.25]], base=2)
    2.0
    """
    p = distribution(joint, "joint", least_axes=2)
    return answer(in_base(-x_log_y(p, p).sum(), base))


def conditional_entropy(joint: Any, *, given: Any = 0, base: Any = None) -> Any:
    """H(others | given): by default H(Y | X) of a table whose axis 0 is x and axis 1 is y.

    Args:
        joint: a joint table of two or more axes.
        given: the axis, or axes, conditioned on.
        base: of the logarithm; None for nats.

    Raises:
        InputError: `joint` is no distribution, or `given` names no axis, or all of them.

    >>> conditional_entropy([[0.5, 0.0], [0.25, 0.25]], base=2)
    0.5
    """
    p = distribution(joint, "joint", least_axes=2)
    kept = axes_of(given, len(p.shape))
    others = tuple(axis for axis in range(len(p.shape)) if axis not in kept)
    if not others:
        raise InputError(f"given must leave at least one of the {len(p.shape)} axes; got {given}.")
    terms = x_log_y(p, p) - x_log_y(p, p.sum(axis=others, keepdims=True))
    return answer(in_base(-terms.sum(), base))


def axes_of(given: Any, count: int) -> set[int]:
    """The axes named, counted from 0. Raises InputError for one that is not there."""
    named = given if isinstance(given, tuple) else (given,)
    for axis in named:
        if not isinstance(axis, Integral) or not -count <= int(axis) < count:
            raise InputError(f"given must name axes between 0 and {count - 1}; got {given!r}.")
    return {int(axis) % count for axis in named}


def _log(p: Any) -> Any:
    """log p, -inf for 0 without numpy's warning."""
    xp = namespace(p)
    return xp.where(p > 0, xp.log(xp.where(p > 0, p, 1.0)), -float("inf"))
