"""A language model as a folder: `config.json`, `model.safetensors`, `tokenizer.json`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from infomax.errors import InputError
from infomax.evaluation.storage import replace
from infomax.language.vocabulary import Vocabulary

CONFIG, PARAMETERS, TOKENIZER = "config.json", "model.safetensors", "tokenizer.json"
FORMAT = "infomax language model 1"
_Model = TypeVar("_Model")


def write_model(folder: Path, config: dict[str, Any], parameters: dict[str, Tensor], vocabulary: Vocabulary) -> None:
    """Write the three files, `config.json` last: it says that the others are there.

    Raises:
        InfomaxError: the disk is full or cannot be written.
    """
    contiguous = {name: tensor.detach().contiguous() for name, tensor in parameters.items()}
    text = json.dumps({"format": FORMAT, **config}, indent=1) + "\n"
    replace(folder / TOKENIZER, vocabulary.save)
    replace(folder / PARAMETERS, lambda path: save_file(contiguous, path))
    replace(folder / CONFIG, lambda path: path.write_text(text, encoding="utf-8"))


def read_config(folder: Path) -> dict[str, Any]:
    """What a model was made of.

    Raises:
        InputError: there is no language model in the folder, or one of another version.
    """
    try:
        config = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
        known = config.pop("format") == FORMAT
    except FileNotFoundError as error:
        raise InputError(
            f"{folder} holds no language model; give the `model` folder of a finished run (resume it if it was interrupted)."
        ) from error
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise InputError(
            f"{folder / CONFIG} cannot be read ({error!r}); fit the model anew or copy it again."
        ) from error
    if not known:
        raise InputError(f"{folder} holds a language model of another version of infomax; fit it anew.")
    return config


def read_parameters(folder: Path, made: Callable[[dict[str, Any], dict[str, Tensor], Vocabulary], _Model]) -> _Model:
    """`made(config, parameters, vocabulary)`.

    Raises:
        InputError: a file is missing, damaged, or of another model than the others.
    """
    config = read_config(folder)
    vocabulary = Vocabulary.load(folder / TOKENIZER)
    if vocabulary.size != config.get("classes"):
        raise InputError(
            f"{folder / TOKENIZER} has {vocabulary.size:,} tokens, the model beside it {config.get('classes')}; copy both again."
        )
    try:
        return made(config, load_file(folder / PARAMETERS), vocabulary)
    except (SafetensorError, OSError, RuntimeError, KeyError, TypeError) as error:
        words = str(error).splitlines()[0]
        raise InputError(f"The model in {folder} is damaged or of another shape ({words}); fit it anew.") from error
