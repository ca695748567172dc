"""A number of nats that says on which side of the mutual information it lies."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import isfinite, log
from typing import Any, Literal

NATS_PER_BIT = log(2.0)


@dataclass(frozen=True)
class Bound:
    """A value in nats, read as a bound on the mutual information.

    Attributes:
        value: in nats; never clipped.
        side: "lower" or "upper" where the expected value is such a bound, "neither" where nothing may be claimed.
        ceiling: the largest value the estimate can take, in nats.
        standard_error: of the value, by the influence function; over groups where they are given. NaN for one row. Where several
            rows share a positive (labels, columns) it holds the candidates fixed and is too small: give `groups`. With some
            twenty groups of unequal size it is too small by a tenth to a fifth.
        assumption: what the side rests on, or why there is none.
    """

    value: float
    side: Literal["lower", "upper", "neither"]
    ceiling: float
    standard_error: float
    assumption: str

    @property
    def bits(self) -> float:
        """The value in bits."""
        return self.value / NATS_PER_BIT

    def to_dict(self) -> dict[str, Any]:
        """Plain data for strict JSON; a number that JSON does not know (NaN) is None."""
        return finite(asdict(self) | {"bits": self.bits})


def finite(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with None for NaN and infinity."""
    return {name: None if isinstance(x, float) and not isfinite(x) else x for name, x in fields.items()}
