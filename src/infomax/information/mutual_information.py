"""What known variables share: mutual information of joint tables, pointwise, conditional and normalised.

Axis 0 of a joint table is x, axis 1 is y, axis 2 is z. I(X; Y) = sum p(x, y) log p(x, y) / p(x) p(y) (Shannon 1948).
"""

from __future__ import annotations

from typing import Any

from infomax.errors import InputError
from infomax.information.distributions import answer, distribution, namespace, x_log_y
from infomax.information.units import in_base


def mutual_information(joint: Any, *, base: Any = None) -> Any:
    """I(X; Y) of a joint table: KL of the table from the product of its margins.

    Args:
        joint: (r, c) probabilities that sum to 1, an array or a torch tensor (then differentiable).
        base: of the logarithm; None for nats.

    Raises:
        InputError: `joint` is no joint table.

    >>> mutual_information([[0.5, 0.0], [0.0, 0.5]], base=2)
    1.0
    """
    p = distribution(joint, "joint", axes=2)
    return answer(in_base(_shared(p), base))


def conditional_mutual_information(joint: Any, *, base: Any = None) -> Any:
    """I(X; Y | Z) of a joint table whose axes are x, y and z.

    >>> xor = [[[0.25, 0.0], [0.0, 0.25]], [[0.0, 0.25], [0.25, 0.0]]]
    >>> round(conditional_mutual_information(xor, base=2), 9)
    1.0
    """
    p = distribution(joint, "joint", axes=3)
    return answer(in_base(_shared(p), base))


def pointwise_mutual_information(joint: Any, *, base: Any = None) -> Any:
    """log p(x, y) / p(x) p(y) of each cell, (r, c): the score that contrastive objectives learn (Church & Hanks 1990).

    -inf where a pair never occurs though both of its values do; NaN where a value never occurs at all: there the ratio is
    0 / 0.

    >>> pointwise_mutual_information([[0.5, 0.0], [0.0, 0.5]], base=2).tolist()
    [[1.0, -inf], [-inf, 1.0]]
    """
    p = distribution(joint, "joint", axes=2)
    xp = namespace(p)
    x, y = p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True)

    def log(value: Any) -> Any:
        return xp.log(xp.where(value > 0, value, 1.0))

    possible, live = (x > 0) & (y > 0), p > 0
    ratio = xp.where(live, log(p) - log(x) - log(y), -float("inf"))
    return in_base(xp.where(possible, ratio, float("nan")), base)


def normalised_mutual_information(joint: Any, kind: str = "arithmetic") -> Any:
    """I(X; Y) as a share of what could be shared: 0 for independent variables, at most 1.

    Args:
        joint: (r, c) probabilities that sum to 1.
        kind: what to divide by. "min", "max", "arithmetic" or "geometric" mean of H(X) and H(Y); "joint" for H(X, Y); "x" or
            "y" for the entropy of that side alone (then it is the uncertainty coefficient, the share of that side explained).

    Returns:
        0 where there is nothing to divide by: a constant shares nothing.

    Raises:
        InputError: `joint` is no joint table, an unknown kind.

    >>> round(normalised_mutual_information([[0.5, 0.0], [0.25, 0.25]], "y"), 4)
    0.3837
    """
    p = distribution(joint, "joint", axes=2)
    h_x, h_y, h_xy = (abs(x_log_y(q, q).sum()) for q in (p.sum(axis=1), p.sum(axis=0), p))
    constant = 1 in (int((p.sum(axis=axis) > 0).sum()) for axis in (0, 1))  # its entropy is 0, but for rounding
    most = normaliser(h_x, h_y, h_xy, kind)
    return answer(0.0 * h_xy if constant else _shared(p) / most)


def normaliser(h_x: Any, h_y: Any, h_xy: Any, kind: str) -> Any:
    """What to divide an information by. Raises InputError for an unknown kind."""
    known = {
        "min": lambda: namespace(h_x).minimum(h_x, h_y),
        "max": lambda: namespace(h_x).maximum(h_x, h_y),
        "arithmetic": lambda: (h_x + h_y) / 2,
        "geometric": lambda: (h_x * h_y) ** 0.5,
        "joint": lambda: h_xy,
        "x": lambda: h_x,
        "y": lambda: h_y,
    }
    if kind not in known:
        raise InputError(f"kind must be one of {', '.join(known)}; got {kind!r}.")
    return known[kind]()


def _shared(p: Any) -> Any:
    """sum p log [p p(z) / p(x, z) p(y, z)] over axes x, y and whatever follows; no z where nothing does."""
    x, y = p.sum(axis=1, keepdims=True), p.sum(axis=0, keepdims=True)
    z = x.sum(axis=0, keepdims=True)
    terms = x_log_y(p, p) + x_log_y(p, z) - x_log_y(p, x) - x_log_y(p, y)
    return terms.sum()
