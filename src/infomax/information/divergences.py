"""How far one known distribution is from another: cross-entropy, Kullback-Leibler and Jensen-Shannon divergence."""

from __future__ import annotations

from typing import Any

from infomax.information.distributions import alike, answer, x_log_y
from infomax.information.units import in_base


def cross_entropy(p: Any, q: Any, *, base: Any = None) -> Any:
    """-sum p log q: the mean code length of draws from p with the code of q. Infinite where p > 0 = q.

    Args:
        p, q: distributions over the same symbols, arrays of one shape (or torch tensors).
        base: of the logarithm; None for nats.

    Raises:
        InputError: no distributions, or different shapes.

    >>> cross_entropy([0.5, 0.5], [0.25, 0.75], base=2) > 1.0
    True
    """
    p, q = alike(p, q, ("p", "q"))
    return answer(in_base(-x_log_y(p, q).sum(), base))


def kl_divergence(p: Any, q: Any, *, base: Any = None) -> Any:
    """KL(p || q) = sum p log p/q >= 0, and 0 only where p = q (Gibbs). Infinite where p > 0 = q.

    Args:
        p, q: distributions over the same symbols, arrays of one shape (or torch tensors).
        base: of the logarithm; None for nats.

    Raises:
        InputError: no distributions, or different shapes.

    >>> kl_divergence([1.0, 0.0], [0.5, 0.5], base=2), kl_divergence([0.5, 0.5], [1.0, 0.0])
    (1.0, inf)
    """
    p, q = alike(p, q, ("p", "q"))
    return answer(in_base(_kl(p, q), base))


def jensen_shannon_divergence(p: Any, q: Any, *, base: Any = None) -> Any:
    """Mean divergence of p and q from their mixture, at most log 2 (Lin 1991); its square root is a metric.

    It is the mutual information of a symbol and a fair coin that says which of the two it was drawn from.

    >>> jensen_shannon_divergence([1.0, 0.0], [0.0, 1.0], base=2)
    1.0
    """
    p, q = alike(p, q, ("p", "q"))
    middle = (p + q) / 2
    return answer(in_base((_kl(p, middle) + _kl(q, middle)) / 2, base))


def _kl(p: Any, q: Any) -> Any:
    """Terms of p log p and p log q apart, so that a tiny p/q neither overflows nor vanishes."""
    return (x_log_y(p, p) - x_log_y(p, q)).sum()
