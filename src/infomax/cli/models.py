"""From the folder that a user names as MODEL, to an encoder and what its run knew.

Commands import this once their arguments are parsed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infomax.errors import InputError
from infomax.training import load_saved


def load_model(folder: Path) -> Any:
    """The encoder of a run folder or of a model folder.

    Raises:
        InputError: there is none, or it is damaged.
    """
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}; give the folder of a finished run, such as runs/python.")
    return load_saved(folder / "model" if _is_run(folder) else folder)


def run_record(folder: Path) -> dict[str, Any]:
    """What the run of this run folder or model folder wrote to result.json; empty where there is none."""
    try:
        found = json.loads(((folder if _is_run(folder) else folder.parent) / "result.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _is_run(folder: Path) -> bool:
    return any((folder / name).exists() for name in ("model", "checkpoint.safetensors", "result.json", "initial"))
