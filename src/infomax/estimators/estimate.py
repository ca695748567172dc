"""What an estimate of mutual information is: a number of nats that says how sure it is, between which limits, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from math import log
from typing import Any, Literal

from infomax.data.plain import plain
from infomax.errors import InputError

NATS_PER = {"nats": 1.0, "bits": log(2.0), "bans": log(10.0)}


@dataclass(frozen=True)
class Interval:
    """Limits in nats, at a nominal level.

    Attributes:
        low, high: in nats, never clipped; high is infinite where the method is near the most that it can say.
        level: nominal coverage, such as 0.95.
        kind: "asymptotic" (normal, from per-sample influences), "subsampling", "bootstrap" or "certified" (holds at
            every n, for every distribution that meets the stated assumption).
    """

    low: float
    high: float
    level: float
    kind: Literal["asymptotic", "subsampling", "bootstrap", "certified"]


@dataclass(frozen=True)
class Limit:
    """A one-sided limit in nats, with what it rests on.

    Attributes:
        nats: the limit.
        confidence: probability with which it holds; 1 where it is a matter of definition.
        assumption: what it rests on; "none: any distribution, independent pairs" for a certificate.
        largest: the largest value that so many samples could have certified.
    """

    nats: float
    confidence: float
    assumption: str
    largest: float | None = None


@dataclass(frozen=True)
class Caution:
    """A warning as data: a `kind` for programs ("ties", "ceiling", "dropped rows" ...), a plain sentence for people."""

    kind: str
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Contender:
    """One method that was considered, and the held-out score in nats it was judged by (None: a rule, not a score)."""

    method: str
    nats: float
    score: float | None
    chosen: bool


@dataclass(frozen=True)
class Estimate:
    """Mutual information from samples. All numbers in nats, raw: a negative estimate stays negative.

    Attributes:
        nats: the point estimate.
        standard_error: of `nats`; None where the method gives none.
        interval: two-sided limits, the higher one not above both `upper` and `nats`; None where none was asked for, or is honest.
        lower: certified lower limit, where one was computed.
        upper: an upper limit with its assumption (entropy of a discrete side), where there is one.
        p_value: of independence, by permutation; None where it was not asked for.
        method: what was used, with its settings, in words.
        n: pairs used.
        dropped: rows left out, by reason.
        cautions: warnings as data.
        contenders: what was considered and why this one was chosen.
        citation: of the method.
        details: further numbers of the method, by name.
    """

    nats: float
    method: str
    n: int
    citation: str
    standard_error: float | None = None
    interval: Interval | None = None
    lower: Limit | None = None
    upper: Limit | None = None
    p_value: float | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    cautions: tuple[Caution, ...] = ()
    contenders: tuple[Contender, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def to(self, unit: str) -> float:
        """The point estimate in "nats", "bits" or "bans".

        >>> Estimate(nats=log(2), method="plug-in", n=2, citation="").to("bits")
        1.0
        """
        if unit not in NATS_PER:
            raise InputError(f"unit must be one of {', '.join(NATS_PER)}; got {unit!r}.")
        return self.nats / NATS_PER[unit]

    @property
    def bits(self) -> float:
        """The point estimate in bits."""
        return self.to("bits")

    @property
    def warnings(self) -> tuple[str, ...]:
        """The cautions as plain sentences."""
        return tuple(caution.text for caution in self.cautions)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for strict JSON; a number that JSON does not know (NaN, infinity) is None."""
        return plain(asdict(self) | {"bits": self.bits})

    def __str__(self) -> str:
        parts = [f"{self.nats + 0.0:.3f} nats ({self.bits + 0.0:.3f} bits)"]
        if self.interval is not None:
            parts.append(f"{100 * self.interval.level:g}% interval {self.interval.low:.3f} to {self.interval.high:.3f}")
        elif self.standard_error is not None:
            parts.append(f"standard error {self.standard_error:.3f}")
        if self.lower is not None:
            parts.append(f"at least {self.lower.nats:.3f} with {100 * self.lower.confidence:g}% confidence")
        if self.upper is not None:
            parts.append(f"at most {self.upper.nats:.3f} ({self.upper.assumption})")
        if self.p_value is not None:
            parts.append(f"p = {self.p_value:.3g}")
        line = ", ".join(parts) + f"; {self.method}, n = {self.n:,}"
        return "\n".join([line, *(f"warning: {caution}" for caution in self.cautions)])

    def _repr_html_(self) -> str:
        return "<br>".join(escape(line) for line in str(self).splitlines())
