"""A `random_state` as scikit-learn's users give it, as numpy's generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from infomax.errors import InputError


def generator(random_state: Any) -> np.random.Generator:
    """A numpy generator from None, an int, a generator or a `RandomState`. Raises InputError for anything else."""
    if isinstance(random_state, np.random.RandomState):  # its own cannot be split into independent ones
        random_state = random_state.randint(2**32, size=4, dtype=np.uint32)
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"random_state must be None, an int of at least 0 or a numpy generator; got {random_state!r}."
        ) from error
