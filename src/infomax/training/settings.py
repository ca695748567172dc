"""Every argument that shapes a run, checked once; two runs with equal settings and equal data end bit for bit equal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from torch import nn

from infomax.errors import InputError
from infomax.training.learner import COLDEST, HOTTEST

Whole = Any  # a whole number, and
Real = Any  # any number: both are checked below, in words that a user can act on


@dataclass(frozen=True)
class Settings:
    """See `fit` for what each means; `encoder` is its `recipe`."""

    epochs: Whole
    batch_size: Whole
    chunk: Whole | None
    learning_rate: Real
    weight_decay: Real
    temperature: Real
    learn_temperature: Any
    temperature_learning_rate: Real
    warmup: Real
    patience: Whole | None
    validation: Real
    test: Real
    validation_candidates: Whole
    validations_per_epoch: Whole
    prefixes: Any
    normalize: bool
    seed: Whole
    objective: str
    encoder: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        whole("epochs", self.epochs, 1)
        whole("batch_size", self.batch_size, 2, "a pair alone in its batch has no negatives")
        if self.chunk is not None:
            whole("chunk", self.chunk, 1)
        whole("validation_candidates", self.validation_candidates, 2)
        whole("validations_per_epoch", self.validations_per_epoch, 1)
        check_seed(self.seed)
        if isinstance(self.prefixes, str) or not isinstance(self.prefixes, Sequence):
            raise InputError(f"prefixes must be a list of whole numbers, got {self.prefixes!r}.")
        for width in self.prefixes:
            whole("each of prefixes", width, 1)
        if self.patience is not None:
            whole("patience", self.patience, 1)
        between("learning_rate", self.learning_rate, 0, 1e3)
        between("temperature_learning_rate", self.temperature_learning_rate, 0, 1e3)
        between("weight_decay", self.weight_decay, 0, 1e3, closed=True)
        between("temperature", self.temperature, 0.001, 100, closed=True)
        if not isinstance(self.learn_temperature, bool):
            raise InputError(f"learn_temperature must be True or False, got {self.learn_temperature!r}.")
        if self.learn_temperature and not COLDEST <= self.temperature <= HOTTEST:
            raise InputError(
                f"A learned temperature stays between {COLDEST} and {HOTTEST}, so it cannot start at {self.temperature}: start "
                "it within, or fix it by learn_temperature=False."
            )
        between("warmup", self.warmup, 0, 1, closed=True)
        between("validation", self.validation, 0, 1, closed=True)
        between("test", self.test, 0, 1, closed=True)
        if self.validation + self.test >= 1:
            raise InputError(
                f"validation={self.validation} and test={self.test} leave nothing to learn from: these shares are held out, "
                "so their sum must be below 1."
            )

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON, flat: what the encoder shares a name with is told as the encoder's."""
        own = asdict(self) | {"prefixes": list(self.prefixes)}
        del own["encoder"]
        return own | {f"the encoder's {name}" if name in own else name: value for name, value in self.encoder.items()}


def differences(there: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """The settings in which two runs differ, with the value of each; empty if there are none.

    >>> differences({"epochs": 3, "dim": 512}, {"epochs": 3, "dim": 64, "seed": 1})
    'dim was 512, is 64; seed was not given, is 1'
    """
    if there.get("encoder") != here.get("encoder"):  # then whatever else is told of the encoders is not comparable
        return f"encoder was {there.get('encoder')}, is {here.get('encoder')}"
    changed = [name for name in {**there, **here} if there.get(name, _ABSENT) != here.get(name, _ABSENT)]
    return "; ".join(f"{name} was {there.get(name, _ABSENT)!r}, is {here.get(name, _ABSENT)!r}" for name in changed)


class _Absent:
    def __repr__(self) -> str:
        return "not given"


_ABSENT = _Absent()


def name_of(function: Any) -> str:
    """How settings name an objective: its dotted name, with the arguments of a `functools.partial`, or what a module says of
    itself."""
    if isinstance(function, partial):
        arguments = [*map(repr, function.args), *(f"{k}={v!r}" for k, v in sorted(function.keywords.items()))]
        return f"{name_of(function.func)}({', '.join(arguments)})"
    if isinstance(function, nn.Module):
        return f"{type(function).__qualname__}({function.extra_repr()})"
    return getattr(function, "__qualname__", type(function).__qualname__)


def whole(name: str, value: Whole, least: int, why: str = "") -> None:
    """Raises InputError where `value` is no whole number of at least `least`."""
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise InputError(
            f"{name} must be a whole number of at least {least}, got {value!r}{f' ({why})' if why else ''}."
        )


def check_seed(value: Whole) -> None:
    """Raises InputError where `value` is no seed that torch takes."""
    whole("seed", value, 0)
    if value >= 2**63:
        raise InputError(f"seed must be below 2**63, got {value}.")


def between(name: str, value: Real, low: Real, high: Real, *, closed: bool = False) -> None:
    """Raises InputError where `value` is no number between the two (or one of them, if `closed`)."""
    inside = isinstance(value, int | float) and (low <= value <= high if closed else low < value < high)
    if not inside:
        raise InputError(f"{name} must be a number between {low} and {high}, got {value!r}.")
