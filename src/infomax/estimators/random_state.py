"""A `random_state` as scikit-learn's users give it, as numpy's generator."""

from __future__ import annotations

from typing import Any

import numpy as np

from infomax.errors import InputError


def generator(random_state: Any) -> np.random.Generator:
    """A numpy generator from None, an int or a generator. Raises InputError for anything else."""
    try:
        return np.random.default_rng(random_state)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"random_state must be None, an int of at least 0 or a numpy generator; got {random_state!r}."
        ) from error
