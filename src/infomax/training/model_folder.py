"""A learned encoder on disk, and back.

A text encoder knows how to save itself, tokenizer and all. Of any other module only the parameters can be stored; to
load them its owner builds the module again. Two sides are two folders.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_model, save_model
from torch import nn

from infomax.encoders import lineage
from infomax.encoders.storage import is_foreign, load_encoder
from infomax.errors import InputError
from infomax.evaluation.storage import cannot_write, replace
from infomax.evaluation.vectors import TwoSided, sides

_WEIGHTS = "model.safetensors"
_CONFIG = "infomax.json"  # written by a text encoder's own `save`


def save_encoder(encoder: nn.Module, folder: Path) -> None:
    """Write `encoder` into `folder`, which is new, or holds one of the same kind that is replaced.

    Raises:
        InfomaxError: the disk is full or cannot be written.
    """
    if isinstance(encoder, TwoSided):
        save_encoder(encoder.anchor, folder / "anchor")
        save_encoder(encoder.candidate, folder / "candidate")
    elif callable(save := getattr(encoder, "save", None)):
        try:
            if folder.exists():
                shutil.rmtree(folder)
            save(folder)
        except (OSError, SafetensorError) as error:
            raise cannot_write(folder, error) from error
    else:
        replace(folder / _WEIGHTS, lambda path: save_model(encoder, str(path)))
        lineage.write(encoder, folder)


def load_saved(folder: str | Path, encoder: Any = None) -> Any:
    """The encoder that a run saved in its `model` folder.

    Args:
        folder: the `model` folder.
        encoder: for a module of your own (or a tuple of two): one like it, which takes over the saved parameters.

    Raises:
        InputError: there is no model, it is damaged, or it does not fit `encoder`.
    """
    folder = Path(folder)
    if (folder / "anchor").is_dir():
        inner = sides(encoder) if encoder is not None else (None, None)
        return TwoSided(load_saved(folder / "anchor", inner[0]), load_saved(folder / "candidate", inner[1]))
    if (folder / _CONFIG).is_file() or is_foreign(folder):
        return load_encoder(folder)
    if not (folder / _WEIGHTS).is_file():
        raise InputError(
            f"{folder} holds no model; give the folder of a finished run (resume it if it was interrupted)."
        )
    if encoder is None:
        raise InputError(
            f"{folder} holds the parameters of a module of your own; in Python, `load_saved(folder, encoder=module)` puts "
            "them into one like it."
        )
    try:
        load_model(encoder, folder / _WEIGHTS)
    except (SafetensorError, RuntimeError, OSError) as error:
        raise InputError(f"The model in {folder} is damaged or of another shape ({_first_line(error)}).") from error
    return lineage.read(encoder, folder)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
