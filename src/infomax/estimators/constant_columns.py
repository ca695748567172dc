"""Columns that are constant in a sample: they tell nothing, and many methods break on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infomax.data.samples import Sample, Variable
from infomax.estimators.estimate import Caution


def without_constants(sample: Sample) -> tuple[Sample | None, list[Caution]]:
    """The sample without its constant columns, and a caution that names them; None where a whole side is constant."""
    sides = {"x": sample.x, "y": sample.y} | ({} if sample.z is None else {"given": sample.z})
    kept: dict[str, Variable | None] = {}
    cautions = []
    for side, variable in sides.items():
        varies = (variable.values != variable.values[0]).any(axis=0)
        if not varies.all():
            names = ", ".join(repr(name) for name, moves in zip(variable.names, varies, strict=True) if not moves)
            cautions.append(Caution("constant", f"Constant in this sample, so it tells nothing: {names} of {side}."))
        kept[side] = _columns(variable, varies) if varies.any() else None
    x, y = kept["x"], kept["y"]
    if x is None or y is None:
        return None, cautions
    return replace(sample, x=x, y=y, z=kept.get("given")), cautions


def _columns(variable: Variable, which: np.ndarray) -> Variable:
    if which.all():
        return variable
    names = tuple(name for name, wanted in zip(variable.names, which, strict=True) if wanted)
    return replace(variable, values=variable.values[:, which], discrete=variable.discrete[which], names=names)
