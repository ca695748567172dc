"""The end of a run: the encoder at its best, its evaluation, and what is left in the folder."""

from __future__ import annotations

import json
import platform
import shutil
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch

import infomax
from infomax.evaluation import build_index
from infomax.evaluation.storage import replace
from infomax.training.model_folder import save_encoder
from infomax.training.parts import Parts
from infomax.training.result import FitResult
from infomax.training.run_folder import INDEX, INITIAL, MODEL, RESULT


def versions() -> dict[str, str]:
    """Of what a result depends on."""
    return {
        "python": platform.python_version(),
        "infomax": infomax.__version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
    }


def save_outcome(folder: Path, result: FitResult, parts: Parts) -> None:
    """Write the learned encoder, the index of all candidates, and the result as JSON.

    Raises:
        InfomaxError: the disk is full or cannot be written.
    """
    save_encoder(result.encoder, folder / MODEL)
    build_index(result.encoder, parts.all.candidates, parts.all.labels).save(folder / INDEX)
    text = json.dumps(strict(result.to_dict()), indent=1, allow_nan=False)
    replace(folder / RESULT, lambda path: path.write_text(text + "\n", encoding="utf-8") and None)
    shutil.rmtree(folder / INITIAL, ignore_errors=True)


def strict(node: Any) -> Any:
    """`node` with every number that JSON does not know (nan, infinity) as None."""
    if isinstance(node, dict):
        return {str(key): strict(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [strict(value) for value in node]
    return None if isinstance(node, float) and not isfinite(node) else node
