"""What an encoder was fitted to, which travels with it: on such pairs its figures are flattered, and no bound.

Each fit adds {"source": name, "pairs": their fingerprint}; the folder of a saved encoder keeps the list in `fitted_to.json`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from torch import nn

from infomax.data.fingerprint import fingerprint
from infomax.data.pairs import Pairs

_FILE = "fitted_to.json"


def add(pairs: Pairs, *modules: nn.Module) -> None:
    """Say of modules that they have been fitted to these pairs."""
    fit = {"source": pairs.report.source, "pairs": fingerprint(pairs)}
    for module in dict.fromkeys(modules):
        module.fitted_to = [*_fits(module), fit]  # type: ignore[assignment]


def seen_before(pairs: Pairs, *modules: nn.Module) -> str:
    """Why figures on these pairs, or on some of them, may flatter: a module was fitted to them; else empty.

    Files and Python source are known by their name as well, since the rows in them may have changed.
    """
    source, fits = pairs.report.source, [fit for module in modules for fit in _fits(module)]
    named = not source.endswith("in memory") and any(fit["source"] == source for fit in fits)
    if not fits or not (named or fingerprint(pairs) in [fit["pairs"] for fit in fits]):
        return ""
    return (
        f"the model was fitted to pairs of a source with the same name, {source}: if they are these, its figures are "
        "flattered and no bound (those on pairs held out of that fit are in its report)"
    )


def write(module: nn.Module, folder: Path) -> None:
    """Put the list beside a saved module."""
    if fits := _fits(module):
        (folder / _FILE).write_text(json.dumps(fits, indent=1) + "\n", "utf-8")


def read(module: Any, folder: Path) -> Any:
    """The module, knowing the list that lies in its folder; one that cannot be read is none."""
    try:
        fits = json.loads((folder / _FILE).read_text("utf-8"))
        module.fitted_to = [{key: str(fit[key]) for key in ("source", "pairs")} for fit in fits]
    except (OSError, ValueError, TypeError, KeyError):
        module.fitted_to = []
    return module


def _fits(module: nn.Module) -> list[dict[str, str]]:
    return getattr(module, "fitted_to", [])
